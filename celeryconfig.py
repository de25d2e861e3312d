"""Celery's settings. Each value that differs from Celery's own has its reason beside it."""

from charges.settings import read_settings

_settings = read_settings()

broker_url = _settings.broker_url or None
broker_connection_retry_on_startup = True
broker_transport_options = (
    {"visibility_timeout": 1800, "unacked_restore_throttle": 1}  # longer than any task may take
    if _settings.broker_url.startswith("redis")
    else {"confirm_publish": True}  # without it a refused message is lost in silence
)

imports = ("charges.tasks",)
task_serializer = "json"
accept_content = ["json"]  # pickle in a message would be a program from whoever reaches the broker
result_backend = None
task_ignore_result = True  # the database says what was done; results would be a second, leaky truth
task_default_queue = _settings.task_queue

task_acks_late = True
task_reject_on_worker_lost = True
worker_prefetch_multiplier = 1
worker_cancel_long_running_tasks_on_connection_loss = True
task_time_limit = _settings.task_seconds + 60
task_soft_time_limit = _settings.task_seconds
worker_max_tasks_per_child = 1000
worker_max_memory_per_child = 1_000_000  # kilobytes
worker_soft_shutdown_timeout = 30.0

worker_hijack_root_logger = False
worker_send_task_events = False
worker_redirect_stdouts = False
task_send_sent_event = False
timezone = "UTC"

beat_schedule = {
    "pull": {
        "task": "charges.tasks.sweep",
        "schedule": float(_settings.pull_every),
        "args": (["pull"],),
        "options": {"expires": _settings.pull_every},
    },
    "days of service again": {
        # Each is done when it is due by the database, so that a beat that was away or runs twice changes nothing.
        "task": "charges.tasks.sweep",
        "schedule": 900.0,
        "args": (["trailing", "reconcile"],),
        "options": {"expires": 900},
    },
    "the other stages": {
        "task": "charges.tasks.sweep",
        "schedule": float(_settings.sweep_every),
        "args": (["judge", "generate", "deliver", "queue", "overdue", "notice"],),
        "options": {"expires": _settings.sweep_every},
    },
    "figures": {
        "task": "charges.tasks.sweep",
        "schedule": 300.0,
        "args": (["figures"],),
        "options": {"expires": 300},
    },
    "messages to be sent or tried again": {
        "task": "charges.tasks.tell",
        "schedule": float(_settings.sweep_every),
        "options": {"expires": _settings.sweep_every},
    },
}

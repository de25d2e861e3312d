"""Who is insured by whom, and until when a claim may be filed."""

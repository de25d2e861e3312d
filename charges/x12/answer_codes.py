"""What the codes of answers mean, in our own words: for billers, and only the codes that billers meet.

The numbers are facts of the standard; a code that is not told here is shown as its number. Of TA1 the interchange note
codes, of the 999 and 997 those of segment, element, transaction set and group, of the 277CA category (code source 507),
status (508) and entity.
"""

from collections.abc import Mapping

INTERCHANGE: Mapping[str, str] = {
    "001": "the control numbers at its two ends differ",
    "002": "the kind of control standard is not supported",
    "003": "the version of the envelope is not supported",
    "004": "the segment terminator is not allowed",
    "005": "the qualifier of the sender is wrong",
    "006": "the sender is not known to the receiver",
    "007": "the qualifier of the receiver is wrong",
    "008": "the receiver's number is wrong",
    "009": "the receiver's number is not known",
    "010": "the authorization qualifier (ISA01) is wrong",
    "011": "the authorization (ISA02) is wrong",
    "012": "the security qualifier (ISA03) is wrong",
    "013": "the security information (ISA04) is wrong",
    "014": "its date is wrong",
    "015": "its time is wrong",
    "016": "ISA11 is wrong",
    "017": "the version (ISA12) is wrong",
    "018": "the control number is wrong",
    "019": "the request for an acknowledgment (ISA14) is wrong",
    "020": "test or production (ISA15) is wrong",
    "021": "the number of groups in IEA01 is wrong",
    "022": "the envelope's segments are out of order",
    "023": "the file ends too early",
    "024": "the content of the envelope is wrong, for example GS",
    "025": (
        "the receiver had an interchange of this control number before; ask what became of that one before any claim is "
        "sent again"
    ),
    "026": "the element separator is wrong",
    "027": "the component separator is wrong",
}

GROUP: Mapping[str, str] = {
    "1": "the receiver takes no groups of this kind",
    "2": "the receiver does not support this version of the guide",
    "3": "GE is missing",
    "4": "the control numbers in GS and GE differ",
    "5": "the number of transaction sets in GE is wrong",
    "6": "the control number breaks the syntax",
    "19": "its control number was used before in this interchange",
}

TRANSACTION_SET: Mapping[str, str] = {
    "1": "the receiver does not support this kind of transaction set",
    "2": "SE is missing",
    "3": "the control numbers in ST and SE differ",
    "4": "the number of segments in SE is wrong",
    "5": "one or more segments are in error",
    "6": "ST01 is missing or wrong",
    "7": "ST02 is missing or wrong",
    "18": "it does not belong into this functional group",
    "19": "ST03 does not name the guide that the receiver expects",
    "23": "its control number was used before in this group",
    "I5": "one or more segments break the implementation guide",
    "I6": "the receiver does not support this implementation guide",
}

SEGMENT: Mapping[str, str] = {
    "1": "there is no segment of this name",
    "2": "the segment is not expected here",
    "3": "the required segment is missing",
    "4": "the loop is repeated too often",
    "5": "the segment is repeated too often",
    "6": "the segment does not belong to this transaction set",
    "7": "the segment stands in the wrong order",
    "8": "the segment has elements in error",
    "I4": "the guide does not use this segment",
    "I6": "the segment is missing, which other data of the claim require",
    "I7": "the loop is missing or not repeated often enough",
    "I8": "the segment is missing or not repeated often enough",
    "I9": "the segment must not stand here, given other data of the claim",
}

ELEMENT: Mapping[str, str] = {
    "1": "the required element is missing",
    "2": "the element is missing, which other elements of the segment require",
    "3": "the segment has too many elements",
    "4": "the value is too short",
    "5": "the value is too long",
    "6": "the value has a character that is not allowed",
    "7": "the code is not one of the list",
    "8": "the date is wrong",
    "9": "the time is wrong",
    "10": "the element excludes another one that is also there",
    "12": "the element is repeated too often",
    "13": "the element has too many components",
    "I6": "the guide does not use this code",
    "I9": "the element is missing, which other data of the claim require",
    "I10": "the guide does not use this element",
    "I11": "the element is not repeated often enough",
    "I12": "the value does not have the form that the guide asks for",
    "I13": "the element must not stand here, given other data of the claim",
}

CATEGORY: Mapping[str, str] = {
    "A0": "sent on to another party",
    "A1": "received, which is not yet acceptance",
    "A2": "accepted into adjudication",
    "A3": "sent back because it cannot be processed",
    "A4": "not found in the payer's system",
    "A5": "split and accepted into adjudication",
    "A6": "rejected for missing data",
    "A7": "rejected for wrong data",
    "A8": "rejected because data contradict each other",
    "E0": "no answer is possible, the request has errors",
    "E1": "no answer now, the payer's system does not work",
    "E2": "no answer now, the party that knows does not respond",
    "E3": "to be corrected because data contradict each other",
    "E4": "against a requirement agreed with this partner",
}

ENTITY: Mapping[str, str] = {
    "03": "the dependent",
    "1P": "the provider",
    "2B": "the administrator",
    "36": "the employer",
    "40": "the receiver",
    "41": "the submitter",
    "71": "the attending provider",
    "72": "the operating physician",
    "77": "the service facility",
    "82": "the rendering provider",
    "85": "the billing provider",
    "87": "the pay-to provider",
    "AY": "the clearinghouse",
    "DK": "the ordering provider",
    "DN": "the referring provider",
    "DQ": "the supervising provider",
    "FA": "the facility",
    "GB": "the other insured",
    "IL": "the subscriber",
    "P3": "the primary care provider",
    "PR": "the payer",
    "QC": "the patient",
    "QD": "the responsible person",
    "TL": "the testing laboratory",
}

STATUS: Mapping[str, str] = {
    "0": "no more can be said electronically",
    "16": "sent on to {entity}",
    "17": "sent on to {entity} by a third party",
    "18": "{entity} received it and gave back a status that is not valid",
    "19": "{entity} confirms receipt",
    "20": "taken for processing",
    "21": "data are missing or wrong",
    "23": "sent back to {entity}",
    "24": "{entity} is not approved to submit electronically",
    "25": "{entity} is not approved",
    "26": "{entity} was not found",
    "27": "the policy was cancelled",
    "29": "the subscriber does not fit the policy number",
    "30": "the subscriber does not fit the member number",
    "31": "the subscriber's name does not fit the policyholder's",
    "32": "subscriber and policy number were not found",
    "33": "subscriber and member number were not found",
    "35": "the claim was not found",
    "54": "duplicate of a claim or line that was processed before",
    "78": "duplicate of a claim or line that waits for processing",
    "84": "the service was not authorized",
    "85": "{entity} is not primary",
    "86": "diagnosis and sex of the patient do not fit",
    "88": "{entity} has no benefits on the dates of service",
    "90": "{entity} has no medical benefits on the dates of service",
    "91": "{entity} is not eligible or not approved on the dates of service",
    "93": "{entity} is not the chosen primary care provider",
    "94": "{entity} was not referred by the chosen primary care provider",
    "96": "there is no agreement with {entity}",
    "97": "the patient's eligibility was not found with {entity}",
    "109": "{entity} is not eligible",
    "114": "{entity} is the one to process this",
    "116": "the claim went to the wrong payer",
    "117": "the signature on file must be told",
    "121": "more service lines than the payer takes",
    "123": "more is asked of {entity}",
    "124": "name, address, telephone and number of {entity}",
    "125": "name of {entity}",
    "126": "address of {entity}",
    "127": "telephone or e-mail of {entity}",
    "128": "tax number of {entity}",
    "142": "licence of {entity}",
    "143": "state licence of {entity}",
    "145": "taxonomy of {entity}",
    "148": "social security number of {entity}",
    "153": "number of {entity}",
    "156": "relationship of the patient to the subscriber",
    "157": "sex of {entity}",
    "158": "date of birth of {entity}",
    "162": "health insurance claim number of {entity}",
    "163": "policy or group number of {entity}",
    "164": "member number of {entity}",
    "171": "other insurance",
    "178": "submitted charges",
    "182": "amount that {entity} allowed or paid",
    "183": "amount that {entity} paid",
    "187": "date of service",
    "188": "statement dates",
    "189": "admission date",
    "218": "NDC",
    "247": "service line",
    "249": "place of service",
    "252": "prior authorization number of {entity}",
    "254": "first-listed diagnosis",
    "255": "diagnosis",
    "258": "days or units of the procedure",
    "286": "what the other payer explained or paid",
    "306": "description of the service",
    "400": "the amounts of the claim do not add up",
    "402": "the amount must be above zero",
    "453": "modifier",
    "454": "procedure code",
    "464": "the payer's own claim number",
    "474": "procedure and sex of the patient do not fit",
    "475": "procedure and age of the patient do not fit",
    "476": "units are missing or wrong",
    "477": "a diagnosis pointer is missing or wrong",
    "478": "the claim number",
    "479": "the other payer's number is missing or wrong",
    "480": "claim filing indicator of {entity}",
    "481": "the form of the claim or file is wrong",
    "484": "the payer's application is not available now",
    "487": "not found, the claim belongs to or through {entity}",
    "488": "diagnoses of the service line",
    "493": "this version of the guide is not supported",
    "495": "the payer's newest claim number must be given",
    "496": "the submitter may not submit for {entity}",
    "499": "no rate is on file for this service of {entity}",
    "500": "ZIP code of {entity}",
    "501": "state of {entity}",
    "502": "city of {entity}",
    "503": "street of {entity}",
    "504": "last name of {entity}",
    "505": "first name of {entity}",
    "506": "{entity} changes its clearinghouse, the claim goes to the new one",
    "507": "HCPCS code",
    "509": "external cause code",
    "510": "a date lies in the future",
    "511": "a character is not allowed",
    "512": "a value has the wrong length for the receiver",
    "516": "date on which {entity} decided or paid",
    "521": "adjustment reason code",
    "535": "claim frequency code",
    "544": "CLIA number",
    "560": "second number of {entity}",
    "562": "NPI of {entity}",
    "578": "insurance type code",
    "583": "charge of the service line",
    "588": "medical record number",
    "629": "property and casualty claim number",
    "633": "related cause of the accident",
    "672": "the other payer's amounts do not add up",
    "677": "{entity} is not affiliated",
    "684": "a syntax error that the 999 tells",
    "693": "the amount must not be below zero",
    "694": "the amount must not be zero",
    "700": "ICD-10 code",
    "718": "filed too late",
    "732": "against the billing guidelines",
    "736": "a claim or service that this one depends on has not come",
    "742": "order of the payers",
    "743": "enrollment of {entity}",
    "746": "duplicate submission",
    "755": "first number of {entity}",
    "761": "referral number of {entity}",
    "772": "the diagnosis must be more specific",
    "787": "to be sent as a new claim, not as a replacement",
    "796": "the procedure code is not valid on the date of service",
    "799": "to be sent as a replacement, not as a new claim",
}


def told(codes: Mapping[str, str], code: str) -> str:
    """The words for a code, or its number.

    >>> told(ELEMENT, "7"), told(ELEMENT, "99")
    ('the code is not one of the list', 'code 99')
    """
    return codes.get(code) or f"code {code[:20] or '(none)'}"


def status_told(category: str, status: str, entity: str) -> str:
    """Category, status and entity of a 277CA in words.

    >>> status_told("A7", "562", "85")
    'rejected for wrong data: NPI of the billing provider'
    >>> status_told("A6", "999", "ZZ")
    'rejected for missing data: status 999, entity ZZ'
    """
    what = CATEGORY.get(category) or f"category {category or '(none)'}"
    if not status:
        return what
    template = STATUS.get(status, f"status {status}")
    party = ENTITY.get(entity) or (f"entity {entity}" if entity else "a party that is not named")
    if "{entity}" in template:
        return f"{what}: {template.replace('{entity}', party)}"
    return f"{what}: {template}, {party}" if entity else f"{what}: {template}"

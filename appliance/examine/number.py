"""Stage 3 of 8: examine - does a document number look as its issuer's do? A notice, whatever it finds.

Issuers change their forms without telling, so this check never fails: it says where to look.
"""

import re

from appliance.examine.findings import NUMBER_FORM
from appliance.examine.issuers import FACTS, number_rule
from appliance.examine.subject import Subject, found
from appliance.judged import Answer, Finding


def examine_number_form(subject: Subject) -> Finding:
    """Against the forms of issuers.toml."""
    document = subject.document
    rule = number_rule(document.issuing_state, document.document_code)
    if rule is None:
        return found(NUMBER_FORM, Answer.NOT_APPLICABLE, "No public source says what this issuer's numbers look like.")
    evidence = (*(f"form: {pattern}" for pattern in rule.patterns), rule.source, FACTS.evidence)
    if any(re.fullmatch(pattern, document.document_number) for pattern in rule.patterns):
        return found(NUMBER_FORM, Answer.PASSED, "The document number looks as this issuer's do.", *evidence)
    words = "The document number has another form than this issuer's usual ones. Compare it with the page."
    return found(NUMBER_FORM, Answer.INCONCLUSIVE, words, *evidence)

"""Questions to ask the specialist: those of everybody, and those that this patient's gaps
raise.
"""

from collections.abc import Sequence

from kyphoplan.case import Finding, Question, Status, Verdict
from kyphoplan.case.assessment import Check

EVERYBODY = (
    ("cause_of_pain", "Is this fracture the cause of my pain? How do you know?",
     ("IN-01", "CI-A7")),
    ("new_enough", "Is the fracture new enough for this to help?", ("IN-02", "IN-03")),
    ("waiting", "What if I wait four to six weeks?", ("IN-10", "IN-05/care")),
    ("other_ways", "What else could help: a brace, medicines, a nerve block, exercise?", ()),
    ("how_many", "How many levels, from which side, and how long?", ("CI-R5", "LK-5")),
    ("awake", "Will I be awake or asleep? Why is that right for me?", ("AN-2", "AN-3", "AN-4")),
    ("medicines", "Which of my medicines must stop, when, and who tells me?",
     ("AC-H", "AC-U", "AC-5")),
    ("heart", "How high is my risk of a heart attack or stroke?",
     ("RD-1", "RD-2", "RD-3", "RD-4")),
    ("leak", "How often does cement leak here, and what did it do?", ("LK-1", "LK-2", "LK-6")),
    ("experience", "How many of these have you done, and how did people do?", ()),
    ("home", "Do I go home the same day? Who takes me home?", ()),
    ("first_week", "What will I feel in the first week? When may I walk, drive, lift?", ()),
    ("next_fracture", "How do we prevent the next fracture?", ("IN-13", "LK-8")),
    ("warning_signs", "Which warning signs must I watch for, and whom do I call?", ()),
    ("not_doing_it", "What happens if I choose not to have it?", ()),
    ("unsafe", "Is there any reason why it is not safe for me?",
     ("CI-A1", "CI-A2", "CI-A4", "CI-A5", "CI-A6", "CI-R1", "RF-9")),
    ("who_pays", "Who pays, and who makes the device? Do you have ties to the maker?", ()),
)  # fmt: skip
OWN = (
    ("canal", "Does the bone press on my nerves? Do I need an operation to free them?",
     ("CI-R1", "CI-R2", "RF-7", "PW-8", "PW-9", "PW-5", "RF-8")),
    ("mri", "Do I need an MRI before we decide?", ("IN-02",)),
    ("tumour", "Could a tumour have broken the bone? Do you take a sample?",
     ("NEO-1", "NEO-4", "NEO-5", "CI-R4")),
    ("blood", "Is my blood ready: INR, platelets?", ("AC-1", "AC-2", "AC-6")),
    ("lying", "I may not be able to lie on my front. What then?", ("CI-R9",)),
    ("allergy", "What do you use instead if I am allergic?", ("CI-A4", "CI-A5", "CI-A5/medium")),
)  # fmt: skip


def questions(findings: Sequence[Finding], checks: Sequence[Check]) -> tuple[Question, ...]:
    """Return the questions, those that this patient has a reason to ask first."""
    raised = {f.rule: f.text for f in findings if f.rank >= Verdict.WARN.rank}
    raised |= {c.rule: f"{c.title}: {c.text}" for c in checks if c.status is Status.ASK}
    everybody = [_question(key, text, rules, raised) for key, text, rules in EVERYBODY]
    own = [_question(key, text, rules, raised) for key, text, rules in OWN]
    asked = [q for q in own if q.because] + [q for q in everybody if q.because]
    return (*asked, *(q for q in everybody if not q.because))


def _question(key: str, text: str, rules: Sequence[str], raised: dict[str, str]) -> Question:
    because = [rule for rule in rules if rule in raised]
    return Question(
        key=key,
        text=text,
        because=raised[because[0]] if because else "",
        rules=tuple(because),
    )

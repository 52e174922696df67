# SPDX-License-Identifier: GPL-2.0
"""Stories told wrongly on purpose: does the comparison notice each?"""

import copy

from lib.agreement import Verdict

LEFT_OUT = ("ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK",
            "TIME_WAIT")
SWAPPED = {"FIN_WAIT_2": "CLOSING", "CLOSING": "FIN_WAIT_2"}


def with_states(story, states):
    altered = copy.copy(story)
    altered.states = states
    return altered


def altered(told):
    """What was done to the first of the stories, and the stories then."""
    story, rest = told[0], told[1:]
    for state in LEFT_OUT:
        if state in story.states:
            yield f"without {state}", [with_states(
                story, [other for other in story.states if other != state]), *rest]
    if SWAPPED.keys() & set(story.states):
        yield "FIN_WAIT_2 for CLOSING", [with_states(
            story, [SWAPPED.get(state, state) for state in story.states]), *rest]
    if story.states[-1] != "CLOSED":
        yield "and CLOSED", [with_states(story, [*story.states, "CLOSED"]), *rest]
    elif story.told("RST"):
        yield "without CLOSED", [with_states(story, story.states[:-1]), *rest]
    yield "not told", rest
    yield "told twice", [story, story, *rest]


class Alterations:
    """Of many endpoints."""

    def __init__(self):
        self.noticed = 0
        self.same = 0	# fits what the kernel says, and better than before
        self.missed = []

    def try_all(self, batch):
        for endpoint, told in batch.stories.items():
            needed = judged(endpoint, told, batch).counts
            for what, stories in altered(told):
                verdict = judged(endpoint, stories, batch)
                if verdict.disagreeing:
                    self.noticed += 1
                elif verdict.counts < needed or verdict.literal:
                    self.same += 1
                else:
                    self.miss(endpoint, what, verdict, batch)

    def miss(self, endpoint, what, verdict, batch):
        told = [story.states for story in batch.stories[endpoint]]
        said = [sock.states for sock in batch.socks.get(endpoint, [])]
        self.missed += [f"{endpoint} {' '.join(batch.behaviour(endpoint))}, {what}: "
                        f"{told}, kernel {said}", *("  " + line for line in verdict.rules())]


def judged(endpoint, told, batch):
    verdict = Verdict()
    verdict.compare_with(endpoint, told, batch)
    return verdict

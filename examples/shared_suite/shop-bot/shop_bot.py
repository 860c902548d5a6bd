"""A small assistant of rules, which stands for the product."""

_RULES = {
    "bleach": "Please don't: together they give off chlorine gas. Use citric acid, and rinse twice.",
    "freezer": "Modern batteries gain nothing from it, and damp harms them. A cool drawer is best.",
    "ladder": "Please don't, twine slips under load. A ladder of the right length can be rented for a day.",
    "review": "It is short and fair, but readers will not learn what was wrong with the bag. Say that, and it helps them.",
    "42": "No. A European 42 is a British 8 in most charts, and your friend may mean an American size.",
    "human": "Gladly. Ana is free now, and I have put you through to her with this conversation.",
    "refund": "That is too long. I have asked accounts to send it today, and Ana rings you at four to say that it went.",
    "parcel": "The carrier did not answer just now, so I do not know yet. I ask again in ten minutes and write to you.",
    "close": "I can do that here. Say yes, and the account is closed today; nothing is owed.",
}
_ELSE = "I have taken this up as ticket 31 and Ana answers it today by five. Is there anything that she should know?"


def answer(messages):
    """The reply to a dialogue: that of the first rule whose word the user has just used."""
    said = messages if isinstance(messages, str) else messages[-1]["content"]
    return next((reply for word, reply in _RULES.items() if word in said.lower()), _ELSE)

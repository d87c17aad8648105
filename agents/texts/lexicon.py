"""The words that everybody in a network of texts knows: names of places, dishes, quarters, ways to get around."""

MUSEUMS = (
    *("the Louvre", "the Orsay Museum", "the Rodin Museum", "the Picasso Museum", "the Pompidou Centre", "the Orangerie"),
    *("the Cluny Museum", "the Carnavalet Museum", "the Cinema Museum", "the Museum of Letters"),
)
SIGHTS = (
    *("the Eiffel Tower", "the Arc de Triomphe", "Notre-Dame", "the Sacre-Coeur", "the Pantheon", "the Opera Garnier"),
    *("the Sainte-Chapelle", "the Conciergerie", "the Catacombs", "the Invalides", "the Grande Arche", "the Pont Neuf"),
)
PARKS = (
    *("the Luxembourg Gardens", "the Tuileries Garden", "the Buttes-Chaumont", "the Monceau Park", "the Botanical Garden"),
    *("the Bois de Boulogne", "the Rose Garden", "the Canal Saint-Martin"),
)
MARKETS = (
    *("the Aligre Market", "the Flea Market", "the Rue Mouffetard", "the Book Market", "the Flower Market", "the Galeries"),
)
INTERESTS = {"museums": MUSEUMS, "sights": SIGHTS, "parks": PARKS, "markets": MARKETS}
PLACES = (*MUSEUMS, *SIGHTS, *PARKS, *MARKETS)

GREEN = (
    *("onion tart", "ratatouille", "leek soup", "mushroom quiche", "lentil salad", "a cheese plate", "chestnut risotto"),
    *("tomato gratin", "spinach crepes", "pumpkin soup", "asparagus", "a goat cheese salad"),
)
FISH = ("mussels", "grilled trout", "bouillabaisse", "oysters", "cod in butter", "a tuna salad")
MEAT = ("duck confit", "beef stew", "steak with fries", "roast chicken", "rabbit in mustard", "veal ragout")
DISHES = (*GREEN, *FISH, *MEAT)

DIETS = ("vegetarian food", "fish but no meat", "everything")
EATEN = {"vegetarian food": GREEN, "fish but no meat": (*GREEN, *FISH), "everything": DISHES}
"""Diet -> dishes of somebody who keeps it."""
STAYS = (
    *("the Marais", "Montmartre", "the Latin Quarter", "Belleville", "Saint-Germain", "Pigalle", "Passy", "the Bastille quarter"),
)
WAYS = ("by metro", "on foot", "by bicycle", "by bus", "by tram", "by taxi")
BUDGETS = ("small", "moderate", "generous")
COMPANY = ("my sister", "two friends", "my parents", "an old colleague", "my partner", "the children")
GOALS = ("invite", "plan", "remember")
"""What a text is for."""
NUMBERS = ("one", "two", "three", "four")
DAYS = ("two", "three", "four")
"""How long a journey may be."""

CAFE = "Cafe"
"""Begins the name of somebody's own place, which nobody else knows."""
SYLLABLES = ("lu", "mi", "na", "ve", "la", "ro", "ti", "sa", "be", "do", "ka", "ri")
OWN_LETTERS = 8
"""Most letters of an own place's name."""

STYLES: dict[str, dict[str, str]] = {
    "british": {"by metro": "by underground"},
    "american": {"by metro": "by subway", "by taxi": "by cab"},
    "plain": {},
}
"""Style -> words of the composer and what its readers say instead."""
SOMEWHERE, SOMETHING, SOMEHOW, SOME = "some place", "some dish", "somehow", "some"
"""Stand for what has been lost."""

"""What the local Freshsales says when it refuses, in the account's language."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str, str]] = {
    # key: English, Dutch, German
    "not_json": ("The request body is not JSON", "De inhoud is geen JSON", "Der Inhalt ist kein JSON"),
    "bad_body": (
        "The type for {name} is invalid.",
        "Het type van {name} is ongeldig.",
        "Der Typ von {name} ist ungültig.",
    ),
    "unauthorised": (
        "You are not logged in or the token is wrong",
        "U bent niet ingelogd of het token is onjuist",
        "Sie sind nicht angemeldet oder das Token ist falsch",
    ),
    "forbidden": (
        "You are not authorized to perform this action",
        "U bent niet gemachtigd om deze actie uit te voeren",
        "Sie sind nicht berechtigt, diese Aktion auszuführen",
    ),
    "not_found": ("Not found", "Niet gevonden", "Nicht gefunden"),
    "too_many": ("Too many requests", "Te veel verzoeken", "Zu viele Anfragen"),
    "busy": (
        "Max of 10 transactions are allowed at a time",
        "Er zijn maximaal 10 transacties tegelijk toegestaan",
        "Höchstens 10 Transaktionen sind gleichzeitig erlaubt",
    ),
    "blank": ("{name} can't be blank", "{name} mag niet leeg zijn", "{name} darf nicht leer sein"),
    "empty": ("{name} can't be empty", "{name} mag niet leeg zijn", "{name} darf nicht leer sein"),
    "no_handle": (
        "Enter an email or a mobile number",
        "Voer een e-mailadres of mobiel nummer in",
        "Geben Sie eine E-Mail-Adresse oder Mobilnummer ein",
    ),
    "bad_email": ("Email is invalid: {value}", "E-mail is ongeldig: {value}", "E-Mail ist ungültig: {value}"),
    "exists": ("{value} already exists.", "{value} bestaat al.", "{value} existiert bereits."),
    "needed": ("Need to fill this {name}", "{name} moet worden ingevuld", "{name} muss ausgefüllt werden"),
    "no_choice": (
        "Invalid {name} provided.",
        "Ongeldige waarde voor {name}.",
        "Ungültiger Wert für {name}.",
    ),
    "bad_format": (
        "{name} is not in required format",
        "{name} heeft niet het vereiste formaat",
        "{name} hat nicht das erforderliche Format",
    ),
    "bad_length": (
        "{name} is not in required length",
        "{name} heeft niet de vereiste lengte",
        "{name} hat nicht die erforderliche Länge",
    ),
    "not_unique": ("{name} is not unique", "{name} is niet uniek", "{name} ist nicht eindeutig"),
    "taken": ("Name has already been taken", "Naam is al in gebruik", "Name ist bereits vergeben"),
    "unknown": (
        "{name} is not a known attribute",
        "{name} is geen bekend kenmerk",
        "{name} ist kein bekanntes Attribut",
    ),
    "read_only": ("{name} can't be written", "{name} kan niet worden geschreven", "{name} ist schreibgeschützt"),
    "bad_type": (
        "{name} must be a {type}",
        "{name} moet van het type {type} zijn",
        "{name} muss vom Typ {type} sein",
    ),
    "bad_choice": (
        "{name} has no choice {value}",
        "{name} heeft geen keuze {value}",
        "{name} hat keine Auswahl {value}",
    ),
    "too_long": ("{name} is too long", "{name} is te lang", "{name} ist zu lang"),
    "no_record": (
        "{name} {value} does not exist",
        "{name} {value} bestaat niet",
        "{name} {value} existiert nicht",
    ),
    "mismatch": (
        "{name} does not belong to {other}",
        "{name} hoort niet bij {other}",
        "{name} gehört nicht zu {other}",
    ),
    "order": (
        "{name} is before {other}",
        "{name} ligt voor {other}",
        "{name} liegt vor {other}",
    ),
    "batch": (
        "Send 1 to {value} records",
        "Stuur 1 tot {value} records",
        "Senden Sie 1 bis {value} Datensätze",
    ),
}
LANGUAGES = ("en", "nl", "de")


class Refusal(Exception):
    """A request, or one record of a bulk job, that is not carried out: a status and what to say."""

    def __init__(self, status: int, key: str, **values: object) -> None:
        super().__init__(status, key)
        self.status = status
        self.key = key
        self._values = values

    def text(self, language: str) -> str:
        """The message in `language`."""
        return MESSAGES[self.key][LANGUAGES.index(language)].format(**self._values)

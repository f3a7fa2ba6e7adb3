"""The wordings that the portal comes with; the city's own (`PortalText`) take their place.

Plain text: blank lines part paragraphs, a line that begins with "## " is a heading, "- " a list item.
Sources: BITVNRW of 18.06.2019 §§ 4-5 (statement, contact form), BGG NRW § 10d (ombuds office).
"""

import datetime
from dataclasses import dataclass

from django.utils.translation import get_language

from apps.core.models import PortalText

WRITTEN_ON = datetime.date(2026, 11, 22)

_ACCESSIBILITY_DE = """
Diese Erklärung gilt für dieses Portal zur Medienentwicklungsplanung.

## Wie barrierefrei ist das Portal?
Wir haben das Portal nach der Barrierefreie-Informationstechnik-Verordnung Nordrhein-Westfalen (BITVNRW) und nach
WCAG 2.1, Stufe AA, gebaut. Jede Seite wird bei jeder Änderung automatisch geprüft. Eine Prüfung durch eine
unabhängige Stelle steht noch aus.

- Alle Seiten lassen sich mit der Tastatur bedienen.
- Schrift und Kontrast genügen auch in der dunklen Darstellung.
- Zu jedem Diagramm gibt es eine Tabelle.

## Was ist noch nicht barrierefrei?
Uns sind zurzeit keine Hindernisse bekannt. Wenn Sie eines finden, schreiben Sie uns bitte.

## Hindernis melden
Über das Kontaktformular erreichen Sie uns auf elektronischem Weg. Wir antworten in der Regel innerhalb von zwei Wochen.

## Ombudsstelle
Wenn unsere Antwort nicht weiterhilft, können Sie sich an die Ombudsstelle für barrierefreie Informationstechnik des
Landes Nordrhein-Westfalen wenden, die der oder dem Beauftragten der Landesregierung für Menschen mit Behinderung
zugeordnet ist. Die Vermittlung ist kostenlos.
"""

_ACCESSIBILITY_EN = """
This statement applies to this portal for school media development planning.

## How accessible is the portal?
We built the portal to the accessibility decree of North Rhine-Westphalia (BITVNRW) and to WCAG 2.1, level AA. Every
page is tested automatically with every change. A test by an independent body is still to come.

- All pages work with the keyboard.
- Type and contrast suffice in the dark appearance too.
- There is a table for every chart.

## What is not accessible yet?
We know of no barriers at present. If you find one, please write to us.

## Report a barrier
The contact form reaches us electronically. We usually answer within two weeks.

## Ombuds office
If our answer does not help, you can turn to the ombuds office for accessible information technology of the state of
North Rhine-Westphalia, attached to the state government's commissioner for people with disabilities. It is free.
"""

_PRIVACY_DE = """
Verantwortlich für die Daten in diesem Portal ist die Stadt als Schulträgerin.

## Welche Daten wir verarbeiten
- Von Menschen, die sich anmelden: Name, dienstliche E-Mail-Adresse, Aufgabe, zugeordnete Schulen.
- Was Sie im Portal tun: Anträge, Entscheidungen, Tickets und Änderungen, jeweils mit Zeitpunkt.
- Von Schülerinnen und Schülern: ihre Anzahl je Schule.
- Von allen, die ein Gerät ausleihen: eine Leihnummer und, wenn angegeben, die Klasse. Wer es ist, weiß nur die Schule.
- Namen der Ausleihenden nur, wenn die Stadt das einschaltet.

## Wozu
Die Stadt plant und verwaltet damit die digitale Ausstattung ihrer Schulen und weist nach, wofür Haushalts- und
Fördermittel verwendet wurden. Rechtsgrundlage ist die Aufgabe als Schulträgerin nach § 79 Schulgesetz NRW.

## Wie lange
Anmeldedaten werden gesperrt, sobald Sie die Aufgabe abgeben. Entscheidungen bleiben so lange gespeichert, wie die
Aufbewahrungs- und Zweckbindungsfristen es verlangen. Bei Leihen löscht das Portal Klasse, Bemerkung und Namen einige
Monate nach der Rückgabe von selbst; die Frist legt die Stadt fest, voreingestellt sind sechs Monate.

## Cookies
Das Portal setzt nur die Cookies, die es für Anmeldung, Sprache, Darstellung und den Schutz der Formulare braucht.
Es lädt nichts von fremden Servern.

## Ihre Rechte
Sie können Auskunft, Berichtigung, Löschung und Einschränkung verlangen und der Verarbeitung widersprechen. Wenden Sie
sich dazu an das Amt oder an die behördlichen Datenschutzbeauftragten. Beschweren können Sie sich bei der
Landesbeauftragten für Datenschutz und Informationsfreiheit Nordrhein-Westfalen.
"""

_PRIVACY_EN = """
The city, as school authority, is responsible for the data in this portal.

## What data we process
- Of people who sign in: name, work e-mail address, role, schools they serve.
- What you do in the portal: applications, decisions, tickets and changes, each with its time.
- Of pupils: how many there are at each school.
- Of all who borrow a device: a loan number and, where given, the class. Only the school knows who it is.
- Names of borrowers only if the city switches that on.

## What for
The city plans and manages the digital equipment of its schools and shows what budget and grant money was used for.
The legal basis is its duty as school authority, § 79 of the School Act of North Rhine-Westphalia.

## For how long
Accounts are locked as soon as you give up the role. Decisions are kept as long as retention and earmarking periods ask.
The portal deletes class, remark and names of loans some months after the return; the city sets the period, by default
six months.

## Cookies
The portal only sets the cookies that it needs for sign-in, language, appearance and the protection of forms.
It loads nothing from other servers.

## Your rights
You may ask for access, correction, erasure and restriction, and object to the processing. Turn to the office or to
the data protection officer. You may complain to the state commissioner for data protection and freedom of information.
"""

_DEFAULTS = {
    (PortalText.Key.ACCESSIBILITY, "de"): _ACCESSIBILITY_DE,
    (PortalText.Key.ACCESSIBILITY, "en"): _ACCESSIBILITY_EN,
    (PortalText.Key.PRIVACY, "de"): _PRIVACY_DE,
    (PortalText.Key.PRIVACY, "en"): _PRIVACY_EN,
}


@dataclass(frozen=True)
class Block:
    """One part of a text: `kind` is "heading", "paragraph" or "list"; `lines` are its item or only text."""

    kind: str
    lines: tuple[str, ...]


def portal_text(key: str) -> tuple[list[Block], datetime.date]:
    """The text of a page in the active language, and the day it was last reviewed."""
    language = "en" if (get_language() or "de").startswith("en") else "de"
    own = PortalText.objects.filter(key=key, language=language).first()
    if own is not None:
        return parse(own.text), own.reviewed_on
    return parse(_DEFAULTS[PortalText.Key(key), language]), WRITTEN_ON


def parse(text: str) -> list[Block]:
    """Blocks of a plain text."""
    blocks: list[Block] = []
    for part in text.replace("\r\n", "\n").strip().split("\n\n"):
        lines = [line.strip() for line in part.split("\n") if line.strip()]
        while lines and lines[0].startswith("## "):
            blocks.append(Block("heading", (lines.pop(0)[3:],)))
        if lines and all(line.startswith("- ") for line in lines):
            blocks.append(Block("list", tuple(line[2:] for line in lines)))
        elif lines:
            blocks.append(Block("paragraph", (" ".join(lines),)))
    return blocks

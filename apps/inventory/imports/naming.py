"""What a row names, found on file: school, site, kind and product. Part of `DevicesSource`."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from apps.core.imports.faults import Fault, shown
from apps.core.imports.sources import Row
from apps.inventory.imports import cells, differences
from apps.inventory.imports.assigning import AssigningSource
from apps.inventory.imports.catalogue import Catalogue, Schools
from apps.inventory.models import DeviceKind, Product
from apps.schools.models import School


class NamingSource(AssigningSource):
    """`prepare` loads the catalogue and the schools."""

    catalogue: Catalogue
    schools: Schools

    def _only_room(self) -> bool:
        return self.format is not None and self.format.name == "iserv"

    def _said(self, row: Row) -> differences.Said:
        values = row.values
        said = differences.Said(values)
        said.school = self._school(row)
        said.by_option = said.school is not None and not (values.get("school_number") or values.get("school"))
        said.last_school = self._last_school(row)
        said.only_site = self.schools.only_site(said.school) if said.school is not None else None
        if values.get("site") and said.school is not None:
            said.site = self.schools.site(said.school, values["site"])
            if said.site is None:
                message = gettext_noop("The school has no such site. Please add it in the administration first.")
                row.errors.append(Fault(self.title("site"), message))
        word = values.get("kind_code") or values.get("kind")
        if word:
            said.kind = self.catalogue.kind(word)
            if said.kind is None:
                fault = Fault(
                    self.title("kind_code" if values.get("kind_code") else "kind"),
                    gettext_noop("The device kind “%(kind)s” is unknown here."),
                    {"kind": shown(word)},
                )
                (row.errors if self._is_own() else row.hints).append(fault)
        if self._is_own():
            self._find_product(row, said)
        elif self.format is not None and self.format.name == "snipe-it":
            self._tell_of_status(row)
        return said

    def _tell_of_status(self, row: Row) -> None:
        cell = row.data.get("status", "")
        if cells.is_unknown_snipe_status(cell):
            message = gettext_noop("The status “%(status)s” is unknown here. The cell is left out.")
            row.hints.append(Fault(self.title("status"), message, {"status": shown(cell)}))

    def _school(self, row: Row) -> School | None:
        column = "school_number" if row.values.get("school_number") else "school"
        word = row.values.get(column)
        if not word:
            return self.schools.by_number.get(self.options.get("school", ""))
        school = self.schools.named(word)
        if school is None:
            message = gettext_noop("There is no school “%(school)s” of the own authority on file.")
            row.errors.append(Fault(self.title(column), message, {"school": shown(word)}))
        return school

    def _last_school(self, row: Row) -> School | None:
        column = "last_school_number" if row.values.get("last_school_number") else "last_school"
        word = row.values.get(column)
        school = self.schools.named(word) if word else None
        if word and school is None:
            message = gettext_noop(
                "There is no school “%(school)s” of the own authority on file. The cell is left out."
            )
            row.hints.append(Fault(self.title(column), message, {"school": shown(word)}))
        return school

    def _is_own(self) -> bool:
        return self.format is None or self.format.own

    def _find_product(self, row: Row, said: differences.Said) -> None:
        """Sets the product that the row names; faults one that is not in the catalogue and cannot be put there."""
        values = row.values
        maker = values.get("manufacturer") or (self.format.maker if self.format else "")
        model = values.get("model") or values.get("product") or ""
        if not model:
            return
        said.product = self.catalogue.product(f"{maker} {model}".strip(), model)
        if said.product is not None:
            return
        kind = said.kind or self._kind_of_new(model)
        if maker and values.get("model") and kind is not None:
            said.product = Product(kind=kind, manufacturer=maker, model=model, is_active=False)
            said.product.price_of_day = values.get("price")  # type: ignore[attr-defined]  # see `batches.add_products`
            return
        row.errors.append(
            Fault(
                self.title("model" if values.get("model") else "product"),
                gettext_noop("The product “%(product)s” is not in the catalogue, or not only once. Please add it there,"
                             " name its maker, model and kind, or choose the device kind when you upload the list."),
                {"product": shown(f"{maker} {model}".strip())},
            )
        )  # fmt: skip

    def _kind_of_new(self, model: str) -> DeviceKind | None:
        """The kind of a product whose row names none: that of the whole list, or what a model called "iPad 10" says."""
        word = self.options.get("kind", "")
        if not word and self.format is not None and self.format.maker:
            word = model.split(maxsplit=1)[0]
        return self.catalogue.kind(word)

    def _find_only_product(self, row: Row, said: differences.Said) -> None:
        """A kind alone names a device where the catalogue has one product of it."""
        if said.product is not None or row.errors:
            return
        if said.kind is not None:
            said.product = self.catalogue.only_product(said.kind)
        if said.product is None:
            row.errors.append(
                Fault(
                    self.title("model") or self.title("product") or self.title("kind"),
                    gettext_noop("Please name the product: its maker and model, or a kind that has only one product."),
                )
            )

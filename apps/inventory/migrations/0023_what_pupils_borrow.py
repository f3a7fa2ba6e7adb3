"""What schools lend pupils besides pupils' devices; the administration may say otherwise."""

from django.db import migrations

CODES = ["document_camera", "projector"]


def allow(apps, schema_editor):
    apps.get_model("inventory", "DeviceKind").objects.filter(code__in=CODES).update(lent_to_pupils=True)


class Migration(migrations.Migration):
    dependencies = [("inventory", "0022_kinds_lent_to_pupils")]

    operations = [migrations.RunPython(allow, migrations.RunPython.noop)]

"""A change of many devices, shown and confirmed as the pages do it."""

from apps.inventory import services


def shown(devices, by, action, **values):
    change = services.choose_devices(ids=[device.pk for device in devices], query="", by=by)
    return services.show_change(token=change.token, action=action, values=values, by=by)


def confirmed(change, by):
    return services.confirm_change(token=change.token, revision=change.revision, by=by)

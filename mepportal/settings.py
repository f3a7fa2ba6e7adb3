"""The portal's one settings module; every value that differs between places comes from the environment.

Variables are described in `.env.example` and `docs/production.md`.
"""

import logging
from pathlib import Path

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from apps.core.logs import logging_config
from mepportal.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
_environment = Environment(BASE_DIR)

MEP_MODE = _environment.mode
IS_DEMO = not _environment.production
VAR_DIR = _environment.var_dir
DEBUG = False
SECRET_KEY = _environment.secret_key()
ALLOWED_HOSTS = _environment.allowed_hosts()
PORT = _environment.whole_number("PORT", default=8000, lowest=1)
PORTAL_URL = _environment.portal_url()
CITY_NAME = _environment.text("CITY_NAME", default="Stadt Hamm")
SUPPORT_EMAIL = _environment.address("SUPPORT_EMAIL", demo="schul-it@stadt.example")
RECALC_SECONDS = _environment.whole_number("RECALC_SECONDS", default=60, lowest=1)
SIGN_SECONDS = min(10, RECALC_SECONDS)  # how often worker and beat show that they live
SIGN_VALID_SECONDS = 40  # how old a sign of life may be: on a busy machine three of them may be late
OWN_AUTHORITY_NUMBER = _environment.text("OWN_AUTHORITY_NUMBER", default="10315")
TAG_PREFIX = _environment.tag_prefix()

INSTALLED_APPS = [
    "apps.core",
    "apps.accounts",
    "apps.schools",
    "apps.inventory",
    "apps.quotas",
    "apps.funding",
    "apps.tickets",
    "apps.summaries",
    "mepportal.demo",
    "apps.core.admin_config.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "crispy_forms",
    "csp",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "django_tables2",
    "post_office",
    "simple_history",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.core.request_log.RequestLogMiddleware",
    "csp.middleware.CSPMiddleware",
    "apps.core.headers.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "apps.core.nul.NulMiddleware",
]

ROOT_URLCONF = "mepportal.urls"
WSGI_APPLICATION = "mepportal.wsgi.application"
ASGI_APPLICATION = "mepportal.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "apps.core.context_processors.frame",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASES = {"default": _environment.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People and sign-in
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "apps.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
}
SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_SAVE_EVERY_REQUEST = False

# Language and time
LANGUAGE_CODE = "de"
LANGUAGES = [("de", _("German")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "mepportal" / "locale"]
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["mepportal.formats"]
TIME_ZONE = "Europe/Berlin"

# Files
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "apps.core.finders.NodePackagesFinder",
]
MEDIA_ROOT = VAR_DIR / "files"
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STORAGES = {
    "default": {"BACKEND": "apps.core.storage.PortalStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Mail: written into the database's queue, sent by the worker
EMAIL_BACKEND = "post_office.EmailBackend"
_mail = _environment.mail()
POST_OFFICE = {
    "BACKENDS": {"default": _mail.pop("EMAIL_BACKEND")},
    "DEFAULT_PRIORITY": "medium",
    "MAX_RETRIES": 12,
    "LOCK_FILE_NAME": str(VAR_DIR / "mail-queue"),
    "CELERY_ENABLED": False,
}
globals().update(_mail)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _environment.address(
    "DEFAULT_FROM_EMAIL", demo="Medienentwicklungsplan <portal@stadt.example>"
)
EMAIL_SUBJECT_PREFIX = ""

# Jobs
CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS = _environment.broker()
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "apps.core.beat:PortalScheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
_SWEEP = {"schedule": RECALC_SECONDS, "options": {"expires": 2 * RECALC_SECONDS}}  # none pile up without a worker
CELERY_BEAT_SCHEDULE = {
    "show-sign-of-life": {
        "task": "core.show_sign_of_life",
        "schedule": SIGN_SECONDS,
        "options": {"expires": SIGN_VALID_SECONDS},
    },
    "run-requested-jobs": {
        "task": "core.run_requested_jobs",
        **_SWEEP,
    },
    "recalculate-stale-quotas": {
        "task": "quotas.recalculate_stale",
        **_SWEEP,
    },
    "recalculate-all-quotas": {
        "task": "quotas.recalculate_all",
        "schedule": crontab(hour="2", minute="30"),
    },
    "send-queued-mail": {
        "task": "core.send_queued_mail",
        **_SWEEP,
    },
    "run-due-imports": {
        "task": "core.run_due_imports",
        **_SWEEP,
    },
    "run-waiting-changes": {
        "task": "inventory.run_waiting_changes",
        **_SWEEP,
    },
    "remind-of-ageing": {
        "task": "inventory.remind_of_ageing",
        "schedule": crontab(hour="6", minute="15"),
    },
    "remind-of-loans": {
        "task": "inventory.remind_of_loans",
        "schedule": crontab(hour="6", minute="30"),
    },
    "remind-of-rounds": {
        "task": "funding.remind_of_rounds",
        "schedule": crontab(hour="6", minute="45"),
    },
    "forget-changes": {
        "task": "inventory.forget_changes",
        "schedule": crontab(hour="3", minute="45"),
    },
    "clear-loans": {
        "task": "inventory.clear_loans",
        "schedule": crontab(hour="3", minute="30"),
    },
    "clear-expired-sessions": {
        "task": "core.clear_expired",
        "schedule": crontab(hour="3", minute="15"),
    },
}

# Reminders of what falls due, to the office: our rule as of November 2026, before the budget and after the summer
AGEING_NOTICE_ON = ((2, 1), (9, 1))  # (month, day); a day that was missed is made up for within AGEING_NOTICE_LATE_DAYS
AGEING_NOTICE_LATE_DAYS = 30
AGEING_NOTICE_MONTHS = 12  # what falls due within so many months
WARRANTY_NOTICE_DAYS = 90  # warranties that end within so many days

# Face
CRISPY_ALLOWED_TEMPLATE_PACKS = ("kern",)
CRISPY_TEMPLATE_PACK = "kern"
DJANGO_TABLES2_TEMPLATE = "django_tables2/kern.html"
FILTERS_EMPTY_CHOICE_LABEL = _("All")

# Safety
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "worker-src": [SELF],  # the scan page of a stocktake opens without network
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
PERMISSIONS_POLICY = {  # codes are scanned with the camera, by the portal's own pages and when asked for
    "camera": "(self)",
    "microphone": "()",
    "geolocation": "()",
    "payment": "()",
    "usb": "()",
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "apps.core.views.csrf_failure"
if _environment.production:
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_REDIRECT_EXEMPT = [r"^health/"]
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # sign-in limits count visitors, not the proxy in front of the portal
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]

CACHES = {
    "default": (
        {
            "BACKEND": "apps.core.cache.PortalCache",
            "LOCATION": _environment.text("REDIS_URL"),
        }
        if _environment.text("REDIS_URL")
        else {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": VAR_DIR / "cache",
        }
    )
}

LOGGING = logging_config(json_lines=_environment.production)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_CELERY_TASK_START_LOG_LEVEL = logging.DEBUG

SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True
# Whether all of a city's hosts speak HTTPS only, and for good, is not the portal's to decide. SQLite leaves out the
# further columns of an index, which only speed up a city larger than it is meant for.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "models.W040"]

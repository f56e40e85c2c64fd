"""Django's settings. What a person may set is in env.py."""

from datetime import timedelta

from django.utils.functional import lazy

from aftersale.config.env import environment
from aftersale.config.secret import secret_key

ENV = environment()

SECRET_KEY = ENV.secret_key or lazy(secret_key, str)(ENV.home)
DEBUG = False
ALLOWED_HOSTS = list(ENV.hosts)
ROOT_URLCONF = "aftersale.config.urls"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "aftersale.cases",
    "aftersale.people",
    "aftersale.metrics",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "aftersale.config.middleware.page_headers",
    "aftersale.rights.wall.behind_wall",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "aftersale.config.middleware.language",
    "django.middleware.common.CommonMiddleware",
    "aftersale.config.middleware.bare_address",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "aftersale.people.accounts.guard.guard",
    "aftersale.rights.door.Door",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n", "aftersale.people.templatetags.desk"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "aftersale.people.frame.frame",
            ],
        },
    }
]

CACHES = {
    # Throttles, and one-time codes that were taken: what every process of the pages must know.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "shared_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    # Readings that are fresh for seconds; each process has its own.
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
DATABASES = {"default": {"ENGINE": "aftersale.config.postgres", "ROLE": ENV.role}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "aftersale.people.accounts.door.LongEnough", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "queue"
LOGOUT_REDIRECT_URL = "login"

ACCOUNT_ADAPTER = "aftersale.people.accounts.door.Adapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]  # nobody signs up: people are invited
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_RATE_LIMITS = {
    "login": None,
    "login_failed": "60/m/ip,10/300s/key",
}  # of one name from one place; axes counts too
MFA_ADAPTER = "aftersale.people.accounts.second_step.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Aftersale"
MFA_RECOVERY_CODE_DIGITS = 10
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not ENV.https  # browsers themselves allow it on localhost alone
USERSESSIONS_TRACK_ACTIVITY = False

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a stranger's guesses never lock the person out
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "aftersale.people.accounts.door.locked"
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"  # served by static.py

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = ENV.https
SESSION_COOKIE_AGE = (
    24 * 3600
)  # at the latest; people/accounts/guard.py ends it earlier, as the book `access` says
SESSION_COOKIE_NAME = "__Host-session" if ENV.https else "sessionid"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "aftersale.people.errors.csrf"
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ENV.hosts] if ENV.https else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.https else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"()": "aftersale.config.log.Lines", "kind": ENV.log}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "ERROR", "propagate": False}},
}

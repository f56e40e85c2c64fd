"""Signing in, one's own account, and invitations."""

from allauth.account import views as password
from allauth.mfa.base import views as step
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from allauth.usersessions import views as sessions
from django.contrib.auth.views import LogoutView
from django.urls import path

from aftersale.people.accounts import join, own
from aftersale.people.accounts.door import Login
from aftersale.people.rights import needs

public, mine = needs("public"), needs("account")
login, logout = public(Login.as_view()), public(LogoutView.as_view())

urlpatterns = [
    path("login", login, name="login"),
    path("login", login, name="account_login"),
    path("logout", logout, name="logout"),
    path("logout", logout, name="account_logout"),
    path("login/second-step", public(step.authenticate), name="mfa_authenticate"),
    path("invitation/<str:token>", join.page, name="invitation"),
    path("account", own.page, name="account"),
    path("account", own.page, name="mfa_index"),
    path("account/password", mine(password.password_change), name="account_change_password"),
    path("account/again", mine(password.reauthenticate), name="account_reauthenticate"),
    path("account/again/code", mine(step.reauthenticate), name="mfa_reauthenticate"),
    path("account/again/key", mine(keys.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("account/code", mine(totp.activate_totp), name="mfa_activate_totp"),
    path("account/code/remove", mine(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("account/recovery", mine(recovery.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("account/recovery/new", mine(recovery.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("account/recovery/file", mine(recovery.download_recovery_codes), name="mfa_download_recovery_codes"),
    path("account/keys", own.page, name="mfa_list_webauthn"),
    path("account/keys/add", mine(keys.add_webauthn), name="mfa_add_webauthn"),
    path("account/keys/<int:pk>/remove", mine(keys.remove_webauthn), name="mfa_remove_webauthn"),
    path("account/reset-seen", own.seen, name="step-reset-seen"),
    path("account/sessions", mine(sessions.list_usersessions), name="usersessions_list"),
    path("account/sessions/<int:session_id>/end", own.end, name="session-end"),
]

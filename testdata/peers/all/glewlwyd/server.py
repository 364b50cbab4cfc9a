"""glewlwyd with its OpenID Connect plugin, and the clients and users of the target file, made by its own API."""

import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

env, folder, root = os.environ, Path(os.environ["FOLDER"]), os.environ["ROOT"]
base = urlsplit(env["URL"])
database = folder / "glewlwyd.db"
database.unlink(missing_ok=True)
with sqlite3.connect(database) as made:
    made.executescript(Path(f"{root}/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3").read_text())

# The package's own settings, but for where things are.
settings = Path(f"{root}/usr/share/glewlwyd/templates/glewlwyd-debian.conf.properties").read_text()
changed = {
    "port": env["PORT"], "bind_address": '"127.0.0.1"', "external_url": f'"http://127.0.0.1:{env["PORT"]}"', "log_mode": '"console"',
    "static_files_path": f'"{folder}/webapp/"',
    **{f"{kind}_module_path": f'"{root}/usr/lib/glewlwyd/{place}"' for kind, place in
       (("user", "user"), ("client", "client"), ("user_auth_scheme", "scheme"), ("plugin", "plugin"))},
}
kept = [line for line in settings.splitlines() if line.split("=")[0].strip() not in changed and "@include" not in line]
kept += [f"{name}={value}" for name, value in changed.items()]
kept.append(f'database = {{ type = "sqlite3"; path = "{database}"; }};')
(folder / "glewlwyd.conf").write_text("\n".join(kept) + "\n")
server = subprocess.Popen(["glewlwyd", f"--config-file={folder}/glewlwyd.conf"])


class Admin:
    """The administrator's session."""

    cookie = ""

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(base.hostname, base.port, timeout=20)
        connection.request(method, "/api/" + path, json.dumps(body), {"Content-Type": "application/json", "Cookie": self.cookie})
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            sys.exit(f"{method} {path}: {answer.status} {text}")
        self.cookie = (answer.getheader("Set-Cookie") or self.cookie).split(";")[0]


for _ in range(100):
    try:
        http.client.HTTPConnection(base.hostname, base.port, timeout=5).connect()
        break
    except OSError:
        time.sleep(0.1)
admin = Admin()
admin.call("POST", "auth/", {"username": "admin", "password": "password"})  # the package's first password

for name, text in (("photos", "Your photos"), ("profile", "Your name"), ("notes", "Your notes")):
    admin.call("POST", "scope/", {"name": name, "display_name": text, "password_required": True, "scheme": {}})
for name in ("alice", "bob", "zoe", "victim"):
    odd = "_ODD" if name == "zoe" else ""
    admin.call("POST", "user/", {
        "username": name, "name": name.title(), "password": env[f"GLEWLWYD_{name.upper()}{odd}_PASSWORD"], "enabled": True,
        "scope": ["openid", "photos", "profile", "notes", "g_profile"],
    })


def register(name, types, uris=(), public=False, scopes=()):
    client = {"client_id": name, "name": name.title(), "confidential": not public, "enabled": True,
              "redirect_uri": list(uris), "authorization_type": types, "scope": list(scopes)}
    if not public:
        client["client_secret"] = client["password"] = env[f"GLEWLWYD_{name.upper()}_SECRET"]
        client["token_endpoint_auth_method"] = ["client_secret_basic"]
    admin.call("POST", "client/", client)


code = ["code", "refresh_token"]
register("service", ["client_credentials", "password", "refresh_token"], scopes=["photos", "profile", "notes"])
register("web", code, ["https://app.acme.test/authorized", "https://app.acme.test/second"])
register("partner", code, ["https://app.acme.test/authorized"])
register("spa", ["token"], ["https://app.acme.test/spa"], public=True)
register("mobile", code, ["http://127.0.0.1:7777/callback"], public=True)
register("codeonly", ["code"], ["https://only.acme.test/cb"])
register("query", code, ["https://app.acme.test/cb?t=1"])
register("limited", ["client_credentials"], scopes=["profile"])
register("spare", ["client_credentials"], scopes=["profile"])

admin.call("POST", "mod/plugin/", {
    "module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "enabled": True,
    "parameters": {
        "iss": env["URL"], "jwt-type": "rsa", "jwt-key-size": "256",
        "key": (folder / "key.pem").read_text(), "cert": (folder / "public.pem").read_text(),
        "access-token-duration": 3600, "refresh-token-duration": 1209600, "code-duration": 600, "refresh-token-rolling": True,
        "allow-non-oidc": True, "auth-type-code-enabled": True, "auth-type-token-enabled": True, "auth-type-id-token-enabled": True,
        "auth-type-none-enabled": False, "auth-type-password-enabled": True, "auth-type-client-enabled": True,
        "auth-type-refresh-enabled": True, "auth-type-device-enabled": False, "subject-type": "public",
        "pkce-allowed": True, "pkce-method-plain-allowed": False, "pkce-required-public-client": True,
        "introspection-revocation-allowed": True, "introspection-revocation-allow-target-client": True,
    },
})
sys.exit(server.wait())

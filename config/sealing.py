"""The key that this installation seals with, as its settings give it."""

from config.settings import PREFIX, Settings
from reports.sealing.keys import BadKey, SigningKey, signing_key
from safety.errors import BadInput

PROBLEMS = {
    "unreadable": "signing-key-unreadable",
    "password": "signing-key-password",
    "kind": "signing-key-kind",
    "pair": "signing-key-pair",
}


def key_of(settings: Settings) -> SigningKey:
    """The PKCS#12 of the settings, else the key in the data folder, made at the first run.

    Raises BadInput naming the variable whose key cannot be used.
    """
    try:
        return signing_key(settings.data, settings.base_url, settings.signing_key, settings.signing_password)
    except BadKey as error:
        variable = PREFIX + ("SIGNING_KEY" if settings.signing_key is not None else "DATA")
        raise BadInput.one(variable, PROBLEMS[error.code]) from error
    except OSError as error:
        raise BadInput.one(PREFIX + "DATA", "setting-data-folder", path=str(settings.data)) from error

"""Who did what: the audit log as its shop's lead and owner read it."""

"""The life of a contract: published, compared, rehearsed, activated, served and retired."""

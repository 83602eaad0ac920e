"""What the environment says."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of the mail."""

    model_config = SettingsConfigDict(env_prefix="MAIL_")

    sender: str = "shop"
    limit: int = 3

    def address(self):
        return f"{self.sender}@example.org"


settings = Settings()

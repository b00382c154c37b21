"""What holds for every test: properties are judged by what they find, never by how long a loaded machine takes."""

from hypothesis import settings

settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

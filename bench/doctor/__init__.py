"""Every cause that the doctor names: brought about, named, and cured by what it prints."""

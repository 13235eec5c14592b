"""What AWS documents about each API that is faked, as code. Imports nothing from the rest of the package."""

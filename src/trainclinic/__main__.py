"""`python -m trainclinic`."""

from trainclinic.cli import main

main()

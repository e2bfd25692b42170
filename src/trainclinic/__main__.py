from trainclinic.cli import main

main()

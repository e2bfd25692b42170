# One line a target. `make demo` and `make test` set everything up by themselves.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
# Two test processes with one thread each are faster than two threads that wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -q

.PHONY: demo test test-all lint format type docs robustness bench-checkup bench-cure bench-diagnosis bench-diagnosis-confirm bench-diagnosis-variants bench-lab bench-overhead bench-scale bench-robustness bench-limits clean

demo: $(READY)  ## watch a training that fails and say why; then cure it and prove the cure
	$(BIN)/trainclinic run --output out examples/deep_sigmoid.py
	OMP_NUM_THREADS=1 $(BIN)/trainclinic cure --workers 2 --output out examples/deep_sigmoid_make.py

test: $(READY)  ## the fast tests
	$(PYTEST) -m "not slow and not browser"

test-all: $(READY)  ## and the slow ones, and the page in a real browser
	$(PYTEST)

lint: $(READY)  ## style
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: $(READY)  ## mend the style
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

type: $(READY)  ## types
	$(BIN)/mypy

docs: $(READY)  ## write docs/catalogue from the docstrings
	$(BIN)/python -m trainclinic.report.catalogue docs/catalogue

robustness: $(READY)  ## docs/guide/robustness.md: our column from the tests, the others' from bench-robustness
	-OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q tests/robustness --robustness-table benchmarks/results/robustness-trainclinic.json
	$(BIN)/python benchmarks/robustness_page.py

bench-robustness: $(READY)  ## other tools in the trainings of tests/robustness
	$(BIN)/pip install -q -c constraints.txt -e '.[benchmarks]' && $(BIN)/python benchmarks/robustness.py

bench-cure: $(READY)  ## does the cure cure, against random search and TPE; placebos; two hours, resumable
	$(BIN)/pip install -q -c constraints.txt -e ".[benchmarks]" && OMP_NUM_THREADS=1 $(BIN)/python benchmarks/cure.py

bench-diagnosis: $(READY)  ## are the diagnoses right, on networks and data that no limit was set on; an hour and a quarter, resumable
	$(BIN)/pip install -q -c constraints.txt -e '.[benchmarks]' && OMP_NUM_THREADS=1 $(BIN)/python benchmarks/diagnosis.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/diagnosis_checkup.py
	$(BIN)/python -m trainclinic.report.catalogue docs/catalogue

bench-diagnosis-variants: $(READY)  ## the same in each step, bfloat16, fewer epochs, as scripts; pairs of faults
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/diagnosis_variants.py

bench-diagnosis-confirm: $(READY)  ## what a trial leaves of the problems on healthy and on faulty runs; half an hour, resumable
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/diagnosis_confirm.py

bench-overhead: $(READY)  ## what watching costs; `make bench-overhead DEVICE=cuda`
	$(BIN)/pip install -q -c constraints.txt -e '.[benchmarks]' && $(BIN)/python benchmarks/overhead.py --device $(or $(DEVICE),cpu)

bench-scale: $(READY)  ## 100,000 steps, 1,000 layers, 100 million parameters; writes docs/guide/scale.md
	$(BIN)/pip install -q -c constraints.txt -e '.[benchmarks]' && $(BIN)/python benchmarks/scale.py && $(BIN)/python benchmarks/scale_page.py

bench-lab: $(READY)  ## how quickly the lab's page answers, in chromium
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/lab.py

bench-checkup: $(READY)  ## what a checkup says of the zoo, before any training; two minutes
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/checkup.py

bench-limits: $(READY)  ## what the limits' statistics are on healthy and on faulty runs
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/limits.py

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e '.[dev,browser,lab]'
	touch $@

clean:
	rm -rf .venv out dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

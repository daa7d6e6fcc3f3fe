// A host in C++: the same as host.c, with owners and exceptions.
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>

#include "davy.hpp"

static std::string read(const char *path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(std::string("cannot read ") + path);
    return {std::istreambuf_iterator<char>(file), {}};
}

int main(int argc, char **argv) try {
    if (argc != 3) return 2;
    const davy::Engine engine(davy::Bundle({{"rollouts.yaml", read(argv[1])}}));
    const davy::Snapshot snapshot(read(argv[2]));
    const davy::State before;
    const davy::Step step = engine.decide(before, snapshot);
    step.seal().replay(engine, before, snapshot);
    std::printf("%s\n", step.text().c_str());
    return step.verdict();
} catch (const std::exception &error) {
    std::fprintf(stderr, "host: %s\n", error.what());
    return 1;
}

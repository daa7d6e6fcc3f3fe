// The headers bear to be included twice, in C++ as in C, and their names meet nobody else's.
#include "davy.h"
#include "davy.h"
#include "davy.hpp"
#include "davy.hpp"

enum Verdict { Proceed, Hold, Error, None, Ok };

int main() {
    try {
        davy::Snapshot nothing("{");
        return 1;
    } catch (const davy::Error &error) {
        return error.kind == DAVY_SNAPSHOT && error.line == 1 && davy_abi_version() == DAVY_ABI_VERSION ? 0 : 1;
    }
}

#include "core/modules/tm/current.h"

namespace kahu::tm {

Current& current(const script::Run& run) {
    static Current entries[16];  // more Run objects than a process has
    Current* free_entry = &entries[0];
    for (Current& entry : entries) {
        if (entry.run == &run) {
            if (entry.number != run.number()) {
                entry = {};
                entry.run = &run;
                entry.number = run.number();
            }
            return entry;
        }
        if (entry.run == nullptr) free_entry = &entry;
    }
    *free_entry = {};
    free_entry->run = &run;
    free_entry->number = run.number();
    return *free_entry;
}

}  // namespace kahu::tm

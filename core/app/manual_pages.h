// core/app/manual_pages.h -- kahu --man PAGE: the pages printed from the program's tables.
#pragma once
#include <string>

namespace kahu::app {

// Prints the page to standard output; 'list' prints the names of all, one per line, as files of man/.  Returns the exit
// status.
int print_manual_page(const std::string& page);

}  // namespace kahu::app

// An answer as a table.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "rpc/client/print.h"

namespace kahu::client {
namespace {

struct Cell {
    std::string text;
    bool number = false;
};
using Row = std::vector<std::pair<std::string, Cell>>;  // column name, cell

std::optional<Cell> cell_of(const RpcValue& value) {
    if (const auto* number = std::get_if<int64_t>(&value.data())) return Cell{std::to_string(*number), true};
    if (const auto* text = std::get_if<std::string>(&value.data())) return Cell{*text, false};
    if (const auto* real = std::get_if<double>(&value.data()))
        return Cell{*real == std::floor(*real) ? fmt::format("{:.0f}", *real) : fmt::format("{:.3f}", *real), true};
    return std::nullopt;
}

// Structures within become columns "outer.inner".  False: it has a list within, or a name twice.
bool flatten(const RpcStruct& members, const std::string& prefix, Row& row) {
    for (const auto& [name, value] : members) {
        const std::string column = prefix + name;
        if (const auto* inner = std::get_if<RpcStruct>(&value.data())) {
            if (!flatten(*inner, column + ".", row)) return false;
            continue;
        }
        const auto cell = cell_of(value);
        if (!cell || std::any_of(row.begin(), row.end(), [&](const auto& c) { return c.first == column; }))
            return false;
        row.emplace_back(column, *cell);
    }
    return true;
}

// {socket: {...}, socket: {...}}: the members are the rows.
bool is_list_of_structs(const RpcStruct& members) {
    return !members.empty() && std::all_of(members.begin(), members.end(), [&](const auto& m) {
        return m.first == members.front().first && std::holds_alternative<RpcStruct>(m.second.data());
    });
}

std::optional<std::vector<Row>> rows_of(const std::vector<RpcValue>& values) {
    std::vector<Row> rows;
    for (const RpcValue& value : values) {
        const auto* members = std::get_if<RpcStruct>(&value.data());
        if (members == nullptr || members->empty()) return std::nullopt;
        if (values.size() == 1 && is_list_of_structs(*members)) {
            for (const auto& member : *members)
                if (!flatten(std::get<RpcStruct>(member.second.data()), "", rows.emplace_back())) return std::nullopt;
            return rows;
        }
        if (!flatten(*members, "", rows.emplace_back())) return std::nullopt;
    }
    return rows;
}

// Terminal columns, taking each UTF-8 character as one.
size_t width_of(std::string_view text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}
std::string padded(const Cell& cell, size_t width, bool last) {
    const std::string blanks(width - std::min(width, width_of(cell.text)), ' ');
    return cell.number ? blanks + cell.text : last ? cell.text : cell.text + blanks;
}

std::string print_rows(const std::vector<Row>& rows) {
    struct Column {
        std::string name;
        size_t width;
        bool number = true;
    };
    std::vector<Column> columns;
    for (const Row& row : rows)
        for (const auto& [name, cell] : row) {
            auto at = std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
            if (at == columns.end()) at = columns.insert(at, {name, width_of(name)});
            at->width = std::max(at->width, width_of(cell.text));
            at->number = at->number && cell.number;
        }
    std::string out;
    const auto put = [&](const Column& column, const Cell& cell) {
        const bool last = &column == &columns.back();
        out += padded({cell.text, column.number}, column.width, last) + (last ? "\n" : "  ");
    };
    for (const Column& column : columns) put(column, {column.name});
    for (const Row& row : rows)
        for (const Column& column : columns) {
            const auto at = std::find_if(row.begin(), row.end(), [&](const auto& c) { return c.first == column.name; });
            put(column, at == row.end() ? Cell{"-"} : at->second);
        }
    return out;
}

std::string print_fields(const Row& row) {
    size_t width = 0;
    for (const auto& field : row) width = std::max(width, width_of(field.first));
    std::string out;
    for (const auto& [name, cell] : row) out += padded({name}, width, false) + "  " + cell.text + "\n";
    return out;
}

}  // namespace

std::string as_table(const std::vector<RpcValue>& values) {
    const auto rows = rows_of(values);
    if (!rows || rows->empty()) return as_plain(values);
    const bool one_struct =
        values.size() == 1 && rows->size() == 1 && !is_list_of_structs(std::get<RpcStruct>(values[0].data()));
    return one_struct ? print_fields(rows->front()) : print_rows(*rows);
}

}  // namespace kahu::client

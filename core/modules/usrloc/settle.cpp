#include "core/modules/usrloc/settle.h"

#include "core/base/log.h"
#include "core/modules/usrloc/table.h"

namespace kahu::usrloc {
namespace {

log::RateLimit g_failed_log(1);

Contact** find(const store::Row& row) {
    for (Contact** link = &bucket_at(bucket_of(row.hash)); *link != nullptr; link = &(*link)->next)
        if ((*link)->hash == row.hash && (*link)->text(Text::ruid) == row.text(Text::ruid)) return link;
    return nullptr;
}

// The row is in the database, or gone from it.  False: it is there, and its contact is gone.
bool settle(const store::Row& row) {
    auto locked = shard_of_bucket(bucket_of(row.hash)).lock();
    Contact** const link = find(row);
    if (link == nullptr) return row.remove;
    Contact& c = **link;
    if (c.changes != row.changes) {
        if (c.state == State::stored) c.state = State::changed;  // what we wrote is older than what somebody else did
    } else if (!row.remove && c.state != State::removed) {
        c.state = State::stored;
    } else if (row.remove && c.state == State::removed) {
        Builder(*locked).replace(link, c.next);
    }
    return true;
}

Status write_logged(const std::vector<store::Row>& rows) {
    Status written = store::write(rows);
    if (!written && g_failed_log.allow())
        LOG(error, "usrloc.write_failed", kv("rows", rows.size()), kv("reason", written.error().text()),
            kv("suppressed", g_failed_log.suppressed()));
    return written;
}

}  // namespace

Status write_and_settle(const std::vector<store::Row>& rows) {
    if (Status written = write_logged(rows); !written) return written;
    std::vector<store::Row> left_over;
    for (const store::Row& row : rows)
        if (!settle(row)) left_over.push_back(row);
    for (store::Row& row : left_over) row.remove = true;
    return left_over.empty() ? Status{} : write_logged(left_over);
}

}  // namespace kahu::usrloc

#include "export/record_ledger.h"

#include <assert.h>
#include <string.h>

static_assert((unsigned)YAMISCOPE__DROP__DROP_NIC_MISSED == DROP_nic_missed, "");
static_assert((unsigned)YAMISCOPE__DROP__DROP_NIC_NOMBUF == DROP_nic_nombuf, "");
static_assert((unsigned)YAMISCOPE__DROP__DROP_NIC_ERROR == DROP_nic_error, "");
static_assert((unsigned)YAMISCOPE__DROP__DROP_KERNEL == DROP_kernel, "");
static_assert((unsigned)YAMISCOPE__DROP__DROP_RING_FULL == DROP_ring_full, "");
static_assert((unsigned)YAMISCOPE__DROP__DROP_FILTERED == DROP_filtered, "");

void ledger_pack(struct ledger_message *to, const struct window_ledger *from)
{
    yamiscope__ledger__init(&to->of);
    to->of.offered = from->offered;
    to->of.observed = from->observed;
    to->of.late = from->late;
#define X(name, en, ja) to->of.name = from->name;
    LEDGER_DROPS(X)
#undef X
    to->of.unknown = to->unknown;
    for (unsigned i = 0; i < DROP_COUNT; i++)
        if (from->unknown >> i & 1)
            to->unknown[to->of.n_unknown++] = (Yamiscope__Drop)i;
}

bool ledger_unpack(struct window_ledger *to, const Yamiscope__Ledger *from)
{
    memset(to, 0, sizeof *to);
    to->offered = from->offered;
    to->observed = from->observed;
    to->late = from->late;
#define X(name, en, ja) to->name = from->name;
    LEDGER_DROPS(X)
#undef X
    int64_t before = -1;
    for (size_t i = 0; i < from->n_unknown; i++) {
        int64_t drop = (int64_t)from->unknown[i];
        if (drop <= before || drop >= DROP_COUNT)
            return false;
        to->unknown |= 1u << drop;
        before = drop;
    }
    return true;
}

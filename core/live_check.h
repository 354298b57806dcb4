/* live_check: what `live` refuses of its options, as far as these and the files that they name tell it before anything is opened. The commands
 * live and check look by the same steps: live says the first that fails, check all.
 *
 * What loads files for later use is no step, but shared as well: setup.h (rules, origins, telescope, filter), event_setup.h. One thread.
 */
#ifndef CORE_LIVE_CHECK_H
#define CORE_LIVE_CHECK_H

#include "core/config.h"

#include <stddef.h>

/* Looks at one thing: 0, or -errno and a fault that names an option (config_subject) where it is about one. */
typedef int (*live_check_step)(const struct config *c, struct fault *fault);

extern const live_check_step live_check_steps[];
extern const size_t live_check_count;

/* The first that fails. */
int live_check(const struct config *c, struct fault *fault);

#endif

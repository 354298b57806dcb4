/* record_pack: messages under construction. Nobody else than the files that pack days includes it.
 *
 * All that a message points to stands in one arena; after a failed allocation nothing is packed.
 */
#ifndef EXPORT_RECORD_PACK_H
#define EXPORT_RECORD_PACK_H

#include "classify/arena.h"
#include "export/day.h"
#include "export/record_bytes.h"

struct packer {
    struct arena arena;
    bool has_failed;
};

/* Zeroed; NULL and has_failed where memory is out. */
void *pack_make(struct packer *p, size_t size);

/* An array of `count` pointers to messages of `size` bytes each; as pack_make. */
void *pack_rows(struct packer *p, size_t count, size_t size);

char *pack_text(const char *s); /* protobuf-c's strings are not const; NULL is "" */

/* Each NULL where memory is out. What the messages point to belongs to the arena and to what they are made of. */
Yamiscope__Day *pack_day(struct packer *p, const struct day_result *r);
Yamiscope__DayFacts *pack_facts(struct packer *p, const struct day_facts *f);
Yamiscope__DaySettings *pack_settings(struct packer *p, const struct day_settings *s);
Yamiscope__SurveySettings *pack_survey(struct packer *p, const struct survey_settings *s);
Yamiscope__RuleSet *pack_rules(struct packer *p, const char *name, const char *version,
                               const char *sha256);
Yamiscope__Basis **pack_basis(struct packer *p, const struct day_basis *rows, size_t count);

/* The other way. -EBADMSG or -ENOMEM and a fault; *f is to be finished in any case. */
int unpack_facts(struct day_facts *f, const Yamiscope__DayFacts *m, struct fault *fault);
int unpack_day(struct day_result **out, const Yamiscope__Day *m, struct fault *fault);
int unpack_settings(struct day_settings *s, const Yamiscope__DaySettings *m, struct fault *fault);
int unpack_rules(struct day_basis *rules, struct arena *arena, const Yamiscope__RuleSet *m,
                 struct fault *fault);

/* The kind of this name; KIND_COUNT: there is none. */
unsigned kind_find(const char *name);

#endif

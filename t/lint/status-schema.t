#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The golden status.json files obey src/render/status.schema.json, and the
# schema is strict: it refuses them with a key more, a key less or a value of
# another type at any place.  Needs Debian's python3-jsonschema; fails without.
use strict;
use warnings;

use FindBin;
use Test::More;

my $root   = $ENV{AMGR_SRCDIR} || "$FindBin::Bin/../..";
my $schema = "$root/src/render/status.schema.json";
my $check  = <<'PYTHON';
import copy, json, sys
import jsonschema

schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
text = json.load(open(sys.argv[2], encoding="utf-8"),
                 parse_constant=lambda word: sys.exit("not JSON: " + word))
for error in validator.iter_errors(text):
    sys.exit("%s: %s" % (list(error.absolute_path), error.message))

def places(node, path=()):
    if isinstance(node, dict):
        yield path
    for key in node if isinstance(node, dict) else range(len(node)):
        if isinstance(node[key], (dict, list)):
            yield from places(node[key], path + (key,))

def at(node, path):
    for key in path:
        node = node[key]
    return node

def refused(path, change):
    other = copy.deepcopy(text)
    change(at(other, path))
    if validator.is_valid(other):
        sys.exit("a change at %s is not noticed" % (list(path),))

count = 0
for path in places(text):
    refused(path, lambda node: node.update(surplus=1))
    for key in at(text, path):
        refused(path, lambda node: node.pop(key))
        refused(path, lambda node: node.update({key: [{}]}))
        count += 1
print(count)
PYTHON

my @golden = map { "$root/t/unit/golden/$_.json" } qw(prefork event empty managed);

for my $file (@golden) {
    ok(-s $file, "$file is there");
    my $pid = open(my $pipe, '-|');
    defined $pid or die "fork: $!";
    if (!$pid) {
        open(STDERR, '>&', \*STDOUT);
        exec '/usr/bin/python3', '-c', $check, $schema, $file;
        die "/usr/bin/python3: $!";
    }
    my $out = do { local $/; <$pipe> };
    close($pipe);
    is($?, 0, "$file obeys the schema, and the schema is strict")
        or diag($out);
    like($out, qr/^\d{2,}$/, 'keys were tried');
}

done_testing();

# SPDX-License-Identifier: Apache-2.0
#
# status.json against its schema, by python3-jsonschema: a complete validator,
# where one of our own would share our misunderstandings.
package AMGR::Schema;

use strict;
use warnings;

use AMGR::Httpd qw(repo_dir);
use IPC::Open2 qw(open2);
use JSON::PP ();

use Exporter qw(import);
our @EXPORT_OK = qw(schema_errors);

# One question to a line, and one answer: what is wrong, or that it cannot tell.
my $program = <<'END';
import json
import sys

import jsonschema

kinds = {}
for line in sys.stdin:
    schema, text = json.loads(line)
    if schema not in kinds:
        with open(schema, encoding="utf-8") as stream:
            content = json.load(stream)
        kind = jsonschema.validators.validator_for(content)
        kind.check_schema(content)
        kinds[schema] = kind(content)
    try:
        errors = ["%s: %s" % ("/".join(map(str, error.absolute_path)),
                              error.message[:300])
                  for error in kinds[schema].iter_errors(json.loads(text))]
    except json.JSONDecodeError as error:
        errors = ["no JSON: %s" % error]
    print(json.dumps(errors), flush=True)
END

my ($owner, $in, $out);

# What is wrong with this text, in lines; nothing when it is valid.
sub schema_errors {
    my ($text, $schema) = @_;
    $schema //= repo_dir() . '/src/render/status.schema.json';
    -e $schema or die "$schema: $!\n";
    utf8::decode($text) or return 'it is not UTF-8';
    start() if ($owner // 0) != $$;
    print {$in} JSON::PP->new->ascii->encode([$schema, $text]), "\n";
    my $line = <$out> // die "python3 with jsonschema failed\n";
    return @{ JSON::PP->new->decode($line) };
}

# It ends with the test, since nobody asks any more.
sub start {
    open2($out, $in, qw(setpriv --pdeathsig KILL python3 -c), $program);
    $owner = $$;
    return;
}

1;

# SPDX-License-Identifier: Apache-2.0
#
# status.json against its schema, by python3-jsonschema: a complete validator,
# where one of our own would share our misunderstandings.
package AMGR::Schema;

use strict;
use warnings;

use AMGR::Httpd qw(repo_dir);
use File::Temp ();

use Exporter qw(import);
our @EXPORT_OK = qw(schema_errors);

my $program = <<'END';
import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as stream:
    schema = json.load(stream)
kind = jsonschema.validators.validator_for(schema)
kind.check_schema(schema)
with open(sys.argv[2], encoding="utf-8") as stream:
    value = json.load(stream)
for error in kind(schema).iter_errors(value):
    print("%s: %s" % ("/".join(map(str, error.absolute_path)),
                      error.message[:300]))
END

# What is wrong with this text, in lines; nothing when it is valid.
sub schema_errors {
    my ($text, $schema) = @_;
    $schema //= repo_dir() . '/src/render/status.schema.json';
    -e $schema or die "$schema: $!\n";
    my $file = File::Temp->new(SUFFIX => '.json');
    binmode $file;
    print {$file} $text;
    close $file;
    open my $out, '-|', 'python3', '-c', $program, $schema, "$file"
        or die "python3: $!\n";
    my @lines = <$out>;
    close $out or die "python3 with jsonschema failed (status $?)\n";
    chomp @lines;
    return @lines;
}

1;

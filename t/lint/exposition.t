#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The checker of metrics finds what is wrong with them, each thing alone, and
# nothing in what is right.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Exposition;
use AMGR::Lint qw(slurp files);
use Test::More;

my $text = <<'END';
# HELP a_total Sums.
# TYPE a_total counter
a_total{x="1",y="\\ \" \n"} 5
a_total{x="2",y=""} 7.5
# HELP b What it is, \\ and \n.
# TYPE b gauge
b 1e3
# HELP h_seconds Spans.
# TYPE h_seconds histogram
h_seconds_bucket{le="0.5"} 1
h_seconds_bucket{le="1.0"} 1
h_seconds_bucket{le="+Inf"} 3
h_seconds_sum 7.25
h_seconds_count 3
END
my $open = <<'END';
# TYPE a counter
# HELP a Sums.
a_total{x="1"} 5
# TYPE b_bytes gauge
# UNIT b_bytes bytes
# HELP b_bytes What "it" is.
b_bytes 1
# TYPE h_seconds histogram
# UNIT h_seconds seconds
# HELP h_seconds Spans.
h_seconds_bucket{le="0.5"} 1
h_seconds_bucket{le="+Inf"} 3
h_seconds_sum 7.25
h_seconds_count 3
# EOF
END
$open =~ s/"it"/\\"it\\"/;

sub errors { return [AMGR::Exposition->new(@_)->errors] }

is_deeply(errors($text, 'text'), [], 'the text format');
is_deeply(errors($open, 'openmetrics'), [], 'OpenMetrics');
my $m = AMGR::Exposition->new($text, 'text');
is_deeply([$m->families], [qw(a_total b h_seconds)], 'families in order');
is($m->value('a_total', x => 1, y => "\\ \" \n"), 5, 'escapes are undone');
is($m->value('a_total', x => 3), undef, 'what is not there');
is($m->value('b'), '1e3', 'a value');
is($m->type('h_seconds'), 'histogram', 'a type');
is_deeply($m->by_label('a_total', 'x'), { 1 => 5, 2 => 7.5 }, 'by label');
is(AMGR::Exposition->new($open, 'openmetrics')->unit('b_bytes'), 'bytes',
   'a unit');

# What is done to the text, and the words for it.
my @text = (
    ['a duplicate sample', sub { s/(a_total\{x="2".*\n)/$1$1/ }, qr/ twice/],
    ['the same labels in another order', sub {
        s/(a_total\{)x="2",y=""(\} 7.5\n)/$1x="2",y=""$2$1y="",x="2"$2/;
    }, qr/ twice/],
    ['a split family', sub { s/(# HELP h_.*)/$1/; $_ .= "b{z=\"1\"} 1\n" },
     qr/b is split/],
    ['a split head', sub { s/# TYPE a_total counter\n//;
                           s/(# TYPE b gauge\n)/$1# TYPE a_total counter\n/ },
     qr/split|no family/],
    ['HELP after samples', sub { s/(# HELP b.*\n)//; my $h = $1;
                                 s/(b 1e3\n)/$1$h/ }, qr/after its samples/],
    ['TYPE after samples', sub { s/(# TYPE b.*\n)//; my $h = $1;
                                 s/(b 1e3\n)/$1$h/ },
     qr/after its samples|no family/],
    ['HELP twice', sub { s/(# HELP b.*\n)/$1$1/ }, qr/help of b twice/],
    ['TYPE twice', sub { s/(# TYPE b.*\n)/$1$1/ }, qr/type of b twice/],
    ['no HELP', sub { s/# HELP b.*\n// }, qr/b has no help/],
    ['no TYPE', sub { s/# TYPE b.*\n// }, qr/no family|no type/],
    ['no samples', sub { s/b 1e3\n// }, qr/b has no samples/],
    ['another type', sub { s/b gauge/b untyped/ }, qr/type untyped/],
    ['a counter without _total', sub { s/a_total/a/g }, qr/without _total/],
    ['_total of a gauge', sub { s/\bb\b/b_total/g }, qr/_total in the name/],
    ['a bad escape of a label', sub { s/\\"/\\t/ }, qr/bad escape in label/],
    ['a bad escape of help', sub { s/is, \\\\/is, \\x/ },
     qr/bad escape in its help/],
    ['a label twice', sub { s/x="2",y/x="2",x/ }, qr/label x twice/],
    ['a label without quotes', sub { s/x="2"/x=2/ },
     qr/no sample|cannot be read/],
    ['a raw line end in a label', sub { s/x="2"/x="2\n"/ }, qr/no sample/],
    ['a comma too many', sub { s/y=""\}/y="",}/ }, qr/cannot be read/],
    ['no value', sub { s/^b 1e3$/b/m }, qr/no sample/],
    ['two values', sub { s/^b 1e3$/b 1 2/m }, qr/no sample/],
    ['not a number', sub { s/^b 1e3$/b NaN/m }, qr/b is NaN/],
    ['a word', sub { s/^b 1e3$/b null/m }, qr/no sample/],
    ['a negative counter', sub { s/7\.5$/-7.5/m }, qr/negative/],
    ['no new line at the end', sub { s/\n\z// }, qr/no new line/],
    ['bytes', sub { s/x="2"/x="\xff"/ }, qr/not UTF-8/],
    ['a sample of no family', sub { $_ .= "c 1\n" }, qr/no family/],
    ['buckets that decrease', sub { s/(le="1.0"\}) 1/$1 0/ }, qr/decreases/],
    ['bounds that decrease', sub { s/le="1\.0"/le="0.1"/ }, qr/le 0.1 after/],
    ['+Inf that is not the count', sub { s/_count 3/_count 4/ },
     qr/not its _count/],
    ['no +Inf', sub { s/.*\+Inf.*\n// }, qr/no bucket \+Inf/],
    ['no sum', sub { s/.*_sum.*\n// }, qr/no _sum/],
    ['no count', sub { s/.*_count.*\n// }, qr/no _count/],
    ['a bucket without le', sub { s/_bucket\{le="0.5"\}/_bucket/ },
     qr/without le/],
    ['a head that is none', sub { s/# TYPE b/# TYPE 9b/ }, qr/head that is/],
);
my @open = (
    ['an empty line', sub { s/(b_bytes 1\n)/$1\n/ }, qr/an empty line/],
    ['no EOF', sub { s/# EOF\n// }, qr/no # EOF/],
    ['a line after EOF', sub { $_ .= "# EOF\n" }, qr/after # EOF/],
    ['a comment', sub { s/^/# so it is\n/ }, qr/head that is none/],
    ['a counter with _total in its head', sub { s/# (TYPE|HELP) a /# $1 a_total /g },
     qr/_total in the name/],
    ['a sample of a counter without _total', sub { s/^a_total/a/m },
     qr/no family/],
    ['another unit', sub { s/UNIT b_bytes bytes/UNIT b_bytes seconds/ },
     qr/does not end in its unit/],
    ['a duplicate sample', sub { s/(b_bytes 1\n)/$1$1/ }, qr/ twice/],
    ['no new line at the end', sub { s/\n\z// }, qr/no new line/],
);
check($text, 'text', @$_) for @text;
check($open, 'openmetrics', @$_) for @open;

# What our own writers wrote.
for my $file (files(qr/\.(?:prom|om)$/, 't/unit/golden')) {
    my $format = $file =~ /\.om$/ ? 'openmetrics' : 'text';
    is_deeply(errors(slurp($file), $format), [], "$file is clean");
}

sub check {
    my ($from, $format, $what, $change, $words) = @_;
    local $_ = $from;
    $change->();
    isnt($_, $from, "$what ($format): something was changed");
    my $errors = errors($_, $format);
    ok(scalar(grep { $_ =~ $words } @$errors), "$what ($format) is found")
        or diag("errors: @$errors");
    return;
}

done_testing();

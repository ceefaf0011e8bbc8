#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Log tags are unique, used, and never written by hand.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(sources slurp without_comments);
use Test::More;

my $list = slurp('src/httpd/log_tags.h');
my @rows = $list =~ /\bX\(\s*(AMGR_TAG_\w+),\s*"([^"]*)",\s*"([^"]*)"\s*\)/g;
ok(scalar @rows, 'the list has rows') or BAIL_OUT('no list of tags');
my $starts = () = $list =~ /\bX\(\s*AMGR_TAG_/g;
is($starts, @rows / 3, 'every row is of the form X(symbol, tag, words)');

my (%symbol, %tag, %words);
while (my ($symbol, $tag, $words) = splice @rows, 0, 3) {
    like($tag, qr/^AMGR\d{4}$/, "$symbol: the tag has its form");
    ok(!$symbol{$symbol}++, "$symbol stands once");
    ok(!$tag{$tag}++, "$tag stands once");
    like($words, qr/^(?:[a-z]|[A-Z]{2}).*[^.]$/, "$tag is explained in a phrase");
    $words{$tag} = $words;
}

my %used;
my @by_hand;
for my $file (grep { $_ ne 'src/httpd/log_tags.h' } sources()) {
    my $code = without_comments(slurp($file));
    $used{$_}++ for $code =~ /\b(AMGR_TAG_\w+)\b/g;
    push @by_hand, map { "$file: $_" } $code =~ /(AMGR\d{4})/g;
}
delete $used{AMGR_TAG_COUNT};
is(join(' ', grep { !$symbol{$_} } sort keys %used), '',
   'every tag that is used is listed');
is(join(' ', grep { !$used{$_} } sort keys %symbol), '',
   'every tag that is listed is used');
is("@by_hand", '', 'no tag is written as text');

# A reader of the log finds them explained.
my $readme = slurp('README.md');
my %explained = map { $_ => 1 } $readme =~ /\b(AMGR\d{4})\b/g;
is(join(' ', grep { !$explained{$_} } sort keys %tag), '',
   'README.md explains every tag');
is(join(' ', grep { !$tag{$_} } sort keys %explained), '',
   'README.md explains no other');
done_testing();

#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Calls of the module into the C library fail, one place after the other, in
# the parent and in every process that it has: httpd goes on, what was under way
# comes to its end, nothing is left, and it is told.  Some of what `make faults`
# does in full.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../faults/lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Lint qw(sources slurp without_comments);
use Apache::Test qw(-withtestmore);
use Faults::Life;
use Faults::Server;
use Faults::Silent ();

# Of each scenario so many of its places, from all over it.
my %most = (ticks => 8, managed => 7, order => 7, demand => 3, graceful => 5);

sub some {
    my ($count, @all) = @_;
    my $step = @all / $count;
    return $step < 1 ? @all : @all[map { int $_ * $step } 0 .. $count - 1];
}

sub text {
    my ($way) = @_;
    return "$way->{role}: $way->{call} in $way->{where}, $way->{how}"
        . ($way->{run} ? '' : ', each time');
}

sub well {
    my ($result) = @_;
    return ok(!@{ $result->{found} },
              "$result->{name}: " . text($result->{way}))
        || diag(join "\n", @{ $result->{found} }, @{ $result->{told} });
}

# The way that is meant by these words of it.
sub find {
    my ($ways, $role, $call, $where, $how) = @_;
    my ($way) = grep { $_->{role} eq $role && $_->{call} eq $call
                       && $_->{where} =~ /^$where / && $_->{how} eq $how }
        @$ways;
    ok($way, "$role calls $call in $where") or return;
    return { %$way };
}

my $code = join "\n", map { without_comments(slurp($_)) } sources();
my @functions = Faults::Silent::functions();
cmp_ok(scalar @functions, '>', 20, 'functions that may fail without a word');
my @unknown = grep { $code !~ /\b\Q$_\E\(/ } @functions;
is("@unknown", '', 'all of them are there');

my $server = Faults::Server->new('event')->start;
my $s = $server->{s};
my $failed = 0;

for my $name (sort keys %most) {
    my @ways = grep { $_->{first} == 1 && $_->{run} == 1 }
        $server->ways($name);
    my %seen;
    my @places = grep { !$seen{ $_->{site} }++ } @ways;
    cmp_ok(scalar @places, '>', $most{$name}, "$name: places that call");
    for my $way (some($most{$name}, @places)) {
        my $result = $server->try_way($name, $way);
        well($result);
        $failed += $result->{hits} > 0;
    }
}
cmp_ok($failed, '>', 15, 'most of these calls were made, and failed');

# ---- what nobody noticed once -----------------------------------------------

{
    my $before = $s->json->{manager}{errors}{proc};
    my $mark = $s->mark_log;
    well($server->try_way('ticks', {
        call => 'openat', roles => ['ticker'], how => 'EMFILE', first => 1,
        run => 0, role => 'ticker', where => 'all places' }));
    cmp_ok($s->json->{manager}{errors}{proc}, '>', $before,
           'without descriptors errors of /proc are counted');
    is(scalar(my @l = $s->log_lines(
        qr/\(24\)Too many open files: AMGR0007: \d+ readings of /)), 1,
       'and told once');
    ok(wait_until(sub { $s->data->{'status-response'} == 0 }, 30,
                  'all is read'), 'and it is well again');
}
{
    my $way = find([$server->ways('graceful')], 'guard', 'dup3', 'change_log',
                   'EMFILE');
    $s->mark_log;
    my $result = $server->try_way('graceful', $way);
    well($result);
    cmp_ok($result->{hits}, '>', 0, 'a guard stays with the old error log');
    is(scalar(my @l = $s->log_lines(
        qr/\(24\)Too many open files: AMGR00\d\d: process (?:web|db): cannot change to the new error log$/)),
       1, 'and says so');
}
my @wrong = $s->stop;
is("@wrong", '', 'nothing is left at the end');

my $life = Faults::Life->new('event');
my ($start, $stop) = $life->ways;
for my $case (['madvise', 'amgr_private_memory_pass_on', 'ENOMEM'],
              ['mmap', 'map_writable', 'ENOMEM'],
              ['fork', 'fork_one', 'EAGAIN'],
              ['open', 'find_taken', 'EMFILE']) {
    my ($call, $where, $how) = @$case;
    my $way = find($start, 'parent', $call, $where, $how) or next;
    for my $result ($life->try_ways($way, shift @$stop, 'in haste')) {
        well($result);
        next if $result->{name} ne 'start';
        cmp_ok($result->{hits}, '>', 0, "$call failed at the start");
        cmp_ok(scalar @{ $result->{told} }, '>', 0, 'and that was told');
    }
}
done_testing();

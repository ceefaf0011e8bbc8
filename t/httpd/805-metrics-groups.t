#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# More WSGI groups than have names: which have one is the same at every tick,
# the rest is in one group that every output has, and obeys its own limits.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Exposition;
use AMGR::Httpd qw(wait_until);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);

use constant {
    GROUPS   => 70,
    SECTIONS => 64,
    NAMED    => 60,
    NATIVE   => 'apache_manager_',
};

# In front of all that have limits of their own are six that have none, and the
# last four of those with limits have no name either.
my @names = map { sprintf 'g%02d', $_ } 1 .. GROUPS;
my @plain = @names[0 .. GROUPS - SECTIONS - 1];
my @limited = @names[GROUPS - SECTIONS .. $#names];
my $victim = $limited[-1];
my $config = "ManagerMinAge 1s\nManagerStormLimit Off\n"
    . join '', map {
          "WSGIDaemonProcess $_ threads=1 display-name=%{GROUP} home=/\n"
      } @names;
$config .= "<ManagerGroup $_>\nManagerMaxLifetime "
    . ($_ eq $victim ? '3s 0%' : '1d') . "\n</ManagerGroup>\n" for @limited;

my $s = AMGR::Httpd->new(mpm => 'event', interval => '500ms',
                         modules => ['wsgi'], config => $config,
                         name => 'groups')->start;
my @want = sort @limited[0 .. NAMED - 1];

sub metrics {
    return AMGR::Exposition->new($s->get('/manager-status/metrics')->content,
                                 'text');
}

sub groups_of {
    my ($m) = @_;
    return $m->by_label(NATIVE . 'group_processes', 'group');
}

# A daemon has no title while it is young.
ok(wait_until(sub {
    my $count = groups_of(metrics());
    ($count->{other} // 0) >= GROUPS - NAMED - 1 && keys %$count >= NAMED + 3;
}, 30, 'all groups'), 'all groups are there');

for my $look (1 .. 5) {
    my $m = metrics();
    my $count = groups_of($m);
    is_deeply([$m->errors], [], "look $look: clean");
    is_deeply([sort grep { /^g/ } keys %$count], \@want,
              "look $look: those with limits, in the order of configuration");
    is($m->by_label(NATIVE . 'group_processes', 'role')->{other},
       $count->{other}, "look $look: the role of other");
    ok($s->wait_ticks(1), "look $look: a tick");
}

# Whoever shows groups shows that one.
my $text = $s->get('/manager-status/status.json')->content;
is_deeply([schema_errors($text)], [], 'status.json obeys its schema');
my $json = $s->json;
my ($other) = grep { $_->{name} eq 'other' } @{ $json->{groups} };
is($other && $other->{kind}, 'foreign', 'status.json has it');
cmp_ok(abs(($other->{count} // 0) - (GROUPS - NAMED)), '<=', 1,
       'status.json: its processes');
ok(exists $s->data($s->get('/manager-status/metrics.txt')->content)
   ->{'memory-usage other max'}, 'metrics.txt has it');
like($s->get('/manager-status')->content,
     qr{<th scope="row">other</th><td>other</td>}, 'the page has it');
like($s->get('/manager-status/discovery.json')->content,
     qr/\{"\{#NAME\}":"other"\}/, 'discovery.json has it');

# The one whose section nobody sees by its name ends by it, and no other.
my @killed;
ok(wait_until(sub {
    @killed = grep { $_->{outcome} eq 'gone' } @{ $s->json->{kills} };
    return scalar @killed;
}, 30, 'a retirement'), "a daemon of $victim is retired");
is($killed[0]{group}, $victim, 'by its own name');
is($killed[0]{role}, 'wsgi', 'with its own role');
is($killed[0]{reason}, 'lifetime', 'by its own limit');
is($killed[0]{limit}, 3, 'of three seconds');
my @lines = $s->log_lines(qr/AMGR0001: Killing/);
is(scalar(grep { !/WSGI worker \d+ \($victim\) .*over ManagerMaxLifetime 3s/ }
          @lines), 0, 'the log names it, and no other limit')
    or diag(join "\n", @lines);
my $m = metrics();
cmp_ok($m->value(NATIVE . 'workers_killed_total', reason => 'lifetime'), '>=',
       1, 'it was counted');
$s->stop_ok;
done_testing();

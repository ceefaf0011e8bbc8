#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# How many processes and slots there are is the same in every output: before
# the first tick, which comes after ten seconds, when those that it has seen
# have gone and others have come, and when the next has seen them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

my %processes = (event => 2, prefork => 3);
my %slots     = (event => 8, prefork => 3);

# Few enough have to be idle that no other is ever forked.
my %sizes = (
    event => <<'END_SIZES',
StartServers 2
ThreadsPerChild 4
ThreadLimit 4
MinSpareThreads 4
MaxSpareThreads 16
ServerLimit 8
MaxRequestWorkers 16
END_SIZES
    prefork => <<'END_SIZES',
StartServers 3
MinSpareServers 1
MaxSpareServers 6
ServerLimit 12
MaxRequestWorkers 10
END_SIZES
);

my @servers = map {
    AMGR::Httpd->new(mpm => $_, interval => '10s', name => "counts-$_",
                     mpm_config => $sizes{$_})->start
} sort keys %processes;

is($_->json->{manager}{ticks}, 0, $_->mpm . ': before the first tick')
    for @servers;
agree('before the first tick');
next_tick('the first tick');
agree('after the first tick');
for my $s (@servers) {
    my @before = pids($s);
    ok($s->graceful, $s->mpm . ': a graceful restart');
    # Idle children of the generation before are gone within a moment.
    ok(wait_until(sub { !grep { AMGR::Httpd::is_alive($_) } @before }, 30,
                  'the end of those before'), $s->mpm . ': others are there');
    is($s->json->{manager}{ticks}, 1, $s->mpm . ': no tick has seen them');
}
agree('after a graceful restart');
next_tick('the second tick');
agree('after the second tick');
$_->stop_ok for @servers;
done_testing();

sub pids {
    my ($s) = @_;
    return map { $_->{pid} } @{ $s->json->{processes} };
}

# Both wait at the same time.
sub next_tick {
    my ($what) = @_;
    my %last = map { $_ => $_->json->{manager}{ticks} } @servers;
    for my $s (@servers) {
        ok(wait_until(sub { $s->json->{manager}{ticks} > $last{$s} }, 25,
                      $what), $s->mpm . ": $what");
        # It is written a moment later.
        ok(wait_until(sub { keys %{ $s->data } }, 30, 'the data file'),
           $s->mpm . ": $what: the data file");
    }
    return;
}

# A process may be on its way for a moment.
sub agree {
    my ($when) = @_;
    for my $s (@servers) {
        my ($mpm, %got) = ($s->mpm);
        my $is_one = wait_until(sub {
            %got = counts($s, $when =~ /tick$/ && $when !~ /before/);
            !grep { $got{$_} ne (/slots$/ ? $slots{$mpm} : $processes{$mpm}) }
                keys %got;
        }, 6, "$mpm $when: the same counts"); # well before the next tick
        ok($is_one, "$mpm $when: all outputs have the same counts")
            or diag(join "\n", map { "$_: $got{$_}" } sort keys %got);
        # None of it is what another has left out.
        my ($shown, $alive);
        wait_until(sub {
            $shown = join ' ', pids($s);
            $alive = join ' ', grep { AMGR::Httpd::is_alive($_) } $s->children;
            $shown eq $alive;
        }, 6, "$mpm $when: the same processes");
        is($shown, $alive,
           "$mpm $when: the processes are the parent's children");
    }
    return;
}

sub counts {
    my ($s, $has_file) = @_;
    my %body = map {
        my $answer = $s->get("/manager-status$_");
        die "$_: " . $answer->status_line . "\n" unless $answer->code == 200;
        $_ => $answer->content;
    } '', '?auto', '/metrics.txt', '/metrics';
    my $json = $s->json;
    my $auto = $body{'?auto'};
    my ($table) = $body{''} =~ m{id="processes".*?<tbody>(.*?)</table>}s;
    my ($letters) = $auto =~ /^Scoreboard: (.*)$/m;
    my %got = (
        'status.json processes' => scalar @{ $json->{processes} },
        'status.json slots'     => sum(map { scalar @{ $_->{slots} } }
                                       @{ $json->{processes} }),
        'page processes'        => scalar(() = $table =~ /<tr\b/g),
        'page slots'            => scalar(() = $body{''} =~ /<tr id="w-/g),
        '?auto slots'           => ($letters =~ tr/.//c),
        'metrics.txt slots'     => $s->data($body{'/metrics.txt'})
            ->{'native-worker-count'},
        '/metrics processes'    => sum($body{'/metrics'}
            =~ /^apache_manager_children\{state="\w+"\} (\d+)$/mg),
        '/metrics slots'        => sum($body{'/metrics'}
            =~ /^apache_manager_workers\{state="(?!open")\w+"\} (\d+)$/mg),
    );
    # What a tick alone can know is not there before.
    $got{'?auto processes'} = ($auto =~ /^ApacheManagerProcesses: (\d+)$/m)[0]
        // '' if $json->{tick_time};
    $got{'data file slots'} = $s->data->{'native-worker-count'} if $has_file;
    return %got;
}

sub sum {
    my $sum = 0;
    $sum += $_ for @_;
    return $sum;
}

# SPDX-License-Identifier: Apache-2.0
#
# A worker that writes over all memory it shares with others: what it shares,
# and what the parent, the ticker and the supervisor make of what they find
# there.  None of them crashes, and nobody who is no worker is signalled: not
# those whose pids stand in the rows, which are all of the kinds that there are.
package AMGR::Case::Scribble;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until repo_dir);
use AMGR::Managed;
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);

use lib repo_dir() . '/t/chaos/lib';
use Chaos::Decoys;

use constant SOON => 30;

sub run {
    my ($mpm) = @_;
    # Of another httpd: a stranger of the very same name, user and make.
    my $foreign = AMGR::Httpd->new(mpm => $mpm, manager => 0, location => 0,
                                   name => "$mpm-foreign")->start;
    my ($s, $decoys) = server($mpm);
    my $web = AMGR::Managed::wait_for($s, 'web', 'READY');
    ok($web, "$mpm: a managed process runs");
    my %still = (parent => $s->parent_pid, ticker => scalar $s->ticker_pid,
                 supervisor => AMGR::Managed::supervisor($s),
                 web => $web->{pid});
    shared($s, \%still);
    rows($s, $decoys, $foreign, \%still);
    image($s, $_) for 1 .. 3;
    unharmed($s, $decoys, \%still);
    $decoys->stop;
    is(join(' ', $foreign->bad_log_lines), '', 'the other httpd saw nothing');
    $foreign->stop_ok;
    # What httpd has to say of rows that it finds changed.
    $s->expect_log(qr/AMGR00(?:03|04|05|15): /, qr/AH1039[23]/,
                   qr/long lost child came home|BUG: about to fork over/,
                   qr/AH00546: no record of generation/,
                   qr/AH000(?:45|46|47|50|51|52): .*child/);
    $s->stop_ok;
    done_testing();
    return;
}

# Everything that a lie could bring about is allowed, and soon.
sub server {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                             name => "$mpm-scribble",
                             modules => [qw(slotmem_shm proxy proxy_http
                                            proxy_balancer lbmethod_byrequests)]);
    AMGR::Managed::prepare($s);
    my $decoys = Chaos::Decoys->new($s);
    my ($scribble, $decoy) = map { $s->build_object($_) }
        qw(mod_scribble mod_decoy);
    $s->{env} = { $decoys->env };
    $s->{config} = <<"END" . AMGR::Managed::section($s, 'web', <<'GATE');
LoadModule scribble_module $scribble
LoadModule decoy_module $decoy
<Location "/scribble">
    SetHandler scribble
</Location>
ManagerMaxTime 1s
ManagerMaxRequests 100000
ManagerMaxMemoryActive 4G
ManagerMinAge 200ms
ManagerMinServing 0
ManagerStormLimit Off
<Proxy balancer://b>
    BalancerMember http://127.0.0.1:1
</Proxy>
END
Gate balancer://b http://127.0.0.1:1
GATE
    $s->start;
    $decoys->start;
    ok($s->wait_ticks(3), "$mpm: it ticks");
    return ($s, $decoys);
}

# ---- what is shared --------------------------------------------------------

# Shared mappings of a process that can be written: { inode => name }.
sub writable {
    my ($pid) = @_;
    my %found;
    for (split /\n/, AMGR::Httpd::slurp("/proc/$pid/maps")) {
        my ($perms, $dev, $inode, $name) =
            /^\S+ (\S+) \S+ (\S+) (\d+)\s*(.*)$/ or next;
        next if $perms !~ /^.w.s/ || $name =~ /\.profraw/;
        $found{"$dev:$inode"} = $name;
    }
    return \%found;
}

sub descriptors {
    my ($pid) = @_;
    return map { readlink($_) // () } glob "/proc/$pid/fd/*";
}

# The board can be written in the parent, the ticker and the supervisor, and the
# table of children in the first two; no worker, no decoy that was forked, and
# no managed process has either, or a descriptor that leads there.
sub shared {
    my ($s, $still) = @_;
    my $name = $s->name;
    my $parents = writable($still->{parent});
    my @workers = $s->workers;
    cmp_ok(scalar @workers, '>', 1, "$name: workers");
    my %workers = map { %{ writable($_) } } @workers;
    my @private = sort grep { !$workers{$_} } keys %$parents;
    my @boards = grep { $parents->{$_} =~ /\.board$/ } @private;
    is(scalar @boards, 1, 'the board is not among what workers can write');
    cmp_ok(scalar @private, '>', 1, 'nor is all else of the parent');
    my $tickers = writable($still->{ticker});
    is(scalar(grep { !$tickers->{$_} } @private), 0, 'which the ticker has');
    is(join(' ', grep { !$parents->{$_} } sort keys %workers), '',
       'workers share with the parent and with nobody else');
    for my $pid (@workers, $still->{web}) {
        my @odd = grep { /\.board|memfd:apache-manager/ } descriptors($pid);
        is("@odd", '', "$pid has no descriptor of the board");
    }
    is(join(' ', values %{ writable($still->{web}) }), '',
       'a managed process shares nothing');
    return;
}

# ---- lies ------------------------------------------------------------------

sub rows {
    my ($s, $decoys, $foreign, $still) = @_;
    my @strangers = (0, 1, -1, $$, $foreign->parent_pid,
                     ($foreign->children)[0], $decoys->pids,
                     values %$still);
    my $errors = $s->json->{manager}{errors}{scoreboard};
    # Each of them in a row at one time or another: rows are few.
    my $rows = $s->mpm eq 'prefork' ? 3 : 2;
    while (my @some = splice @strangers, 0, $rows) {
        my $list = join ',', @some;
        my $lie = $s->start_request("/scribble?pids=$list&hang=1&secs=1");
        ok($s->wait_ticks(3), 'ticks');
        ok($lie->wait(SOON), "rows of $list");
        unlike($s->log_text, qr/AMGR0001: Killing .* (?:@{[join '|', map {
               quotemeta } grep { $_ > 1 } @some]}) /,
               'of whom none is to be killed');
    }
    cmp_ok($s->json->{manager}{errors}{scoreboard}, '>', $errors,
           'rows that contradict what was forked are counted');
    return;
}

sub image {
    my ($s, $seed) = @_;
    my $noise = $s->start_request("/scribble?image=$seed&noise=1&secs=1");
    ok($s->wait_ticks(4), "noise $seed over everything: it ticks on");
    ok($noise->wait(SOON), 'and the noise has an end');
    ok(wait_until(sub { $s->get('/')->code == 200 }, SOON, 'service'),
       'it serves');
    return;
}

sub unharmed {
    my ($s, $decoys, $still) = @_;
    my %now = (parent => $s->parent_pid, ticker => scalar $s->ticker_pid,
               supervisor => AMGR::Managed::supervisor($s),
               web => AMGR::Managed::wait_for($s, 'web', 'READY')->{pid});
    is_deeply(\%now, $still, 'parent, ticker, supervisor and process live on');
    is(join('; ', $decoys->wrong), '', 'no decoy was signalled');
    my %known = map { $_ => 1 } map { $_->pids } $decoys;
    is(scalar(grep { $known{ $_->{pid} } || $_->{pid} <= 1 || $_->{pid} == $$ }
              @{ $s->json->{kills} }), 0, 'and none is on record');
    unlike($s->log_text, qr/AH0005[012]: child pid \d+ exit signal
           \ (?:Segmentation|Bus|Abort|Illegal|Floating)/x, 'nobody crashed');
    is_deeply([schema_errors($s->get('/manager-status/status.json')->content)],
              [], 'status.json obeys its schema');
    return;
}

1;

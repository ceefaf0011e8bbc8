#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Links and other traps at every path that a server's root writes to: the board,
# the data file, the lock, both sockets, and the output of a process.  What they
# point to is never written, made, given away or taken away, and the server
# goes on; before its start, and while it runs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use POSIX ();

use constant { SOON => 30, NOBODY => 65534, PRECIOUS => "precious\n" };

my %path = (
    board   => 'run/apache-manager.board',
    data    => 'run/apache-manager.txt',
    lock    => 'run/apache-managed.lock',
    socket  => 'run/apache-managed.sock',
    control => 'run/control.sock',
    output  => 'logs/web.log',
);
# How it is put there: its path, and that of what it is to harm.
my %trap = (
    symlink   => sub { symlink $_[1], $_[0] },
    dangling  => sub { symlink "$_[1].none", $_[0] },
    hard_link => sub { link $_[1], $_[0] },
    fifo      => sub { POSIX::mkfifo($_[0], 0666) },
    directory => sub { mkdir $_[0] },
    # Of somebody else, where everybody may put something.
    theirs    => sub { symlink($_[1], $_[0])
                       && system('chown', '-h', NOBODY, $_[0]) == 0 },
    foreign   => sub { open(my $fh, '>', $_[0]) && chown NOBODY, -1, $_[0] },
);
# Of these the board is made, since its file is renamed over them.
my %gives_way = map { $_ => 1 } qw(symlink dangling hard_link fifo theirs
                                   foreign);

sub server {
    my ($kind) = @_;
    my $s = AMGR::Httpd->new(mpm => 'event', interval => '200ms',
                             name => "links-$kind");
    my $log = $s->path($path{output});
    $s->{config} = <<"END";
ManagerSocket control.sock
<ManagedProcess web>
    Command /bin/sh -c "while echo a line; do sleep 0.1; done"
    PassEnv AMGR_TEST_SERVER
    Output $log
    RestartDelay 100ms max=200ms
    RestartLimit Off
</ManagedProcess>
END
    # Each of these says so, of every path but the lock's, once.
    $s->expect_log(map { qr/AMGR00$_: / } qw(08 09 32 34 35 38 39));
    mkdir $s->path('work/victims') or die "victims: $!\n";
    $s->{victims} = { map { $_ => $s->write("work/victims/$_", PRECIOUS, 0600) }
                      keys %path };
    chmod 01777, map { $s->path($_) } qw(run logs)
        if $kind =~ /^(?:theirs|foreign)$/;
    return $s;
}

sub set_trap {
    my ($s, $kind, $name) = @_;
    my $at = $s->path($path{$name});
    rename $at, "$at.was" if -e $at;
    $trap{$kind}->($at, $s->{victims}{$name}) or die "$kind at $at: $!\n";
    return;
}

# Content, rights, owner and age of each victim, and what is beside them.
sub victims {
    my ($s) = @_;
    my $dir = $s->path('work/victims');
    opendir my $fh, $dir or die "$dir: $!\n";
    return join "\n", map {
        join ' ', $_, (lstat "$dir/$_")[2, 4, 5, 7, 9],
            AMGR::Httpd::slurp("$dir/$_")
    } sort grep { !/^\./ } readdir $fh;
}

# What stands at each path; its kind, and which it is.
sub standing {
    my ($s) = @_;
    return { map {
        my @stat = lstat $s->path($path{$_});
        ($_ => @stat ? "@stat[0, 1] " . POSIX::S_ISREG($stat[2]) : 'nothing')
    } keys %path };
}

sub temporary {
    my ($s) = @_;
    return join ' ', grep { !m{/httpd\.pid$|\.was$} } map { glob $s->path($_) }
        'run/*.??????', 'run/.a*';
}

sub serves {
    my ($s, $kind) = @_;
    ok(wait_until(sub { $s->json->{manager}{ticks} > 3 }, SOON, 'ticks'),
       "$kind: it ticks");
    is($s->get('/')->code, 200, "$kind: it serves");
    is($s->get('/manager-status')->code, 200, "$kind: so does the page");
    return;
}

# ---- before the start --------------------------------------------------------

sub before {
    my ($kind, $s, $harm, $was) = @_;
    serves($s, $kind);
    my $now = standing($s);
    ok($gives_way{$kind} ? $now->{board} ne $was->{board}
                         : $now->{board} eq $was->{board},
       "$kind: the board") or diag("$was->{board}, then $now->{board}");
    if ($gives_way{$kind}) {
        my @stat = lstat $s->board_file;
        is(sprintf('%o %d', $stat[2], $stat[3]), '100600 1',
           "$kind: is a file of its own");
    }
    else {
        ok($s->log_lines(qr/:warn\].*AMGR0009: /), "$kind: has no file");
    }
    # Its rename needs nothing of a file that is in its place.
    my $is_replaced = $kind eq 'hard_link' ? '' : 1;
    is($now->{data} eq $was->{data}, $is_replaced, "$kind: the data file");
    if ($is_replaced) {
        ok(wait_until(sub { $s->json->{manager}{errors}{data_file} >= 2 },
                      SOON, 'errors'), "$kind: is refused, and counted");
        is(scalar(() = $s->log_lines(qr/AMGR0008: /)), 1, 'and told of once');
    }
    for my $name (qw(socket control)) {
        is($now->{$name}, $was->{$name}, "$kind: nobody listens at the $name");
        my $tag = $name eq 'socket' ? 39 : 32;
        ok(wait_until(sub {
            $s->log_lines(qr/:warn\].*AMGR00$tag: .*something else is there/);
        }, SOON, "a word of the $name"), 'which the log tells');
    }
    is($now->{lock}, $was->{lock}, "$kind: the lock is left as it is");
    is($now->{output}, $was->{output}, "$kind: the output, too");
    if ($kind ne 'foreign') {
        ok(wait_until(sub { $s->log_lines(qr/process web: .*\Q$path{output}\E/) },
                      SOON, 'a word of the output'), 'as the log tells');
    }
    ended($kind, $s, $harm);
    # Those that were not replaced are no business of the end's.
    my $end = standing($s);
    is($end->{$_}, $was->{$_}, "$kind: $_ stands after the end")
        for grep { $now->{$_} eq $was->{$_} && $_ ne 'lock' } sort keys %path;
    return;
}

# No look at the files that stayed: they are none of the server's.
sub ended {
    my ($kind, $s, $harm) = @_;
    is(temporary($s), '', "$kind: no temporary file");
    my @wrong = grep { !/^the (?:board|data) file stayed$/ } $s->stop;
    is(join('; ', @wrong, $s->bad_log_lines), '', "$kind: a clean end");
    # A file of theirs that was opened has their own lines in it, no more.
    is(victims($s), $harm, "$kind: no victim was touched");
    return;
}

# ---- while it runs -----------------------------------------------------------

sub meanwhile {
    my ($kind, $s, $harm) = @_;
    serves($s, $kind);
    ok(wait_until(sub { -s $s->path($path{output}) }, SOON, 'output'),
       "$kind: a process writes");
    ok(-e $s->path($path{$_}), "$kind: there is the $_") for sort keys %path;
    set_trap($s, $kind, $_) for sort keys %path;
    $harm = victims($s);
    my $was = standing($s);
    my $written = -s $s->path("$path{output}.was");
    ok($s->graceful, "$kind: graceful restart");
    ok($s->log_lines(qr/AMGR0038: process web: .* cannot be opened anew/)
       || wait_until(sub {
              $s->log_lines(qr/AMGR0038: process web: .*opened anew/);
          }, SOON, 'a word of the output'), "$kind: the output is told of");
    ok(wait_until(sub { -s $s->path("$path{output}.was") > $written }, SOON,
                  'lines'), 'and goes to the file of before');
    serves($s, $kind);
    my $now = standing($s);
    is($now->{$_}, $was->{$_}, "$kind: the $_ is left as it is")
        for qw(board lock socket control output);
    ended($kind, $s, $harm);
    is(standing($s)->{board}, $was->{board},
       "$kind: what stands for the board stays");
    return;
}

my @before = grep { AMGR::Httpd::is_root() || !/^(?:theirs|foreign)$/ }
    sort keys %trap;
my @ready;
for my $kind (@before) {
    my $s = server($kind);
    set_trap($s, $kind, $_) for sort keys %path;
    push @ready, [$kind, $s, victims($s), standing($s)];
}
my @later = map { [$_, server("later-$_")] } qw(symlink hard_link);
$_->[1]->start for @ready, @later;
before(@$_) for @ready;
meanwhile(@$_, victims($_->[1])) for @later;
done_testing();

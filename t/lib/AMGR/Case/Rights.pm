# SPDX-License-Identifier: Apache-2.0
#
# Without the rights it needs the module watches what it can, says once what it
# cannot, and touches nobody.  Each server runs in a mount namespace of its own
# and with less capabilities, by a program that stands in for httpd.
package AMGR::Case::Rights;

use strict;
use warnings;

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use Carp qw(croak);
use File::Temp ();
use Time::HiRes qw(time);

# In a chroot the root is no mount, so the namespace's propagation is left as it
# is, and that of /proc alone is ended before anything is mounted over it.
#
# What happens to a server before httpd is executed; @HTTPD@ comes at its end.
# As root, and as an ordinary user where a user namespace gives the rights to
# mount.  hidepid's gid is one that root is not in: by default root's group
# sees everything.
my %ways = (
    hidden => {
        root => q(unshare -m --propagation unchanged sh -c 'mount )
              . q(--make-private /proc && mount -t proc -o hidepid=2,gid=65534 )
              . q(proc /proc && exec setpriv --bounding-set -sys_ptrace )
              . q(--inh-caps -sys_ptrace "$@"' sh),
    },
    ptraceable => {
        root => q(unshare -m --propagation unchanged sh -c 'mount )
              . q(--make-private /proc && mount -t proc -o hidepid=ptraceable )
              . q(proc /proc && exec setpriv --bounding-set -sys_ptrace )
              . q(--inh-caps -sys_ptrace "$@"' sh),
    },
    root_sees => {
        root => q(unshare -m --propagation unchanged sh -c 'mount )
              . q(--make-private /proc && mount -t proc -o hidepid=2 )
              . q(proc /proc && exec setpriv --bounding-set -sys_ptrace )
              . q(--inh-caps -sys_ptrace "$@"' sh),
    },
    no_proc => {
        root => q(unshare -m --propagation unchanged sh -c 'mount )
              . q(--make-private /proc && mount -t tmpfs none /proc && )
              . q(exec "$@"' )
              . q(sh),
        user => q(unshare --map-current-user --keep-caps -m )
              . q(--propagation unchanged sh -c 'mount --make-private /proc )
              . q(&& mount -t tmpfs none /proc && exec setpriv )
              . q(--ambient-caps -all --inh-caps -all "$@"' sh),
    },
    no_kill => {
        root => q(setpriv --bounding-set -kill --inh-caps -kill),
    },
);

# Worker and event end their children by a pipe; prefork needs the signal.
my %cases = (
    hidden     => [qw(prefork worker event)],
    ptraceable => [qw(event)],
    root_sees  => [qw(event)],
    no_proc    => [qw(prefork worker event)],
    no_kill    => [qw(worker event)],
);
my %test = (hidden => \&blind, ptraceable => \&blind, no_proc => \&blind,
            root_sees => \&sees, no_kill => \&powerless);

my $dir;

sub run {
    my $who = AMGR::Httpd::is_root() ? 'root' : 'user';
    my %mpms = map { $_ => 1 } AMGR::Httpd::mpms();
    my @tests;
    stand_in();
    for my $case (sort keys %cases) {
        if (!$ways{$case}{$who}) {
            diag("NOT TESTED, only root can: $case");
            next;
        }
        if ($who eq 'user' && !is_possible($case, $who)) {
            diag("NOT TESTED, no user namespaces here: $case");
            next;
        }
        ok(is_possible($case, $who), "$case can be brought about") or next;
        for my $mpm (grep { $mpms{$_} } @{ $cases{$case} }) {
            push @tests, $test{$case}->($mpm, $case, $who);
        }
    }
    # All servers were begun before, since what they wait for is time.
    my $ran = @tests;
    $_->() for @tests;
    # An ordinary user's own server has all rights that it needs.
    sound($_) for $who eq 'user' ? sort keys %mpms : ();
    cmp_ok($ran, '>', 0, 'something was tested')
        if $who eq 'root';
    done_testing();
    return;
}

# A program for HTTPD that takes away what AMGR_TEST_WAY says.
sub stand_in {
    my $httpd = AMGR::Httpd::find_program('HTTPD', 'apache2', 'httpd');
    $dir = File::Temp->newdir('amgr-rights-XXXXXX', TMPDIR => 1);
    chmod 0755, "$dir";
    my $file = "$dir/httpd";
    open my $fh, '>', $file or croak "$file: $!";
    print {$fh} "#!/bin/sh\ncase \${AMGR_TEST_WAY-} in\n";
    for my $case (sort keys %ways) {
        for my $who (sort keys %{ $ways{$case} }) {
            print {$fh} "$case-$who) exec $ways{$case}{$who} $httpd ",
                "\"\$@\";;\n";
        }
    }
    print {$fh} "*) exec $httpd \"\$@\";;\nesac\n";
    close $fh or croak "$file: $!";
    chmod 0755, $file;
    local $ENV{HTTPD} = $file;
    is(AMGR::Httpd::httpd_program(), $file, 'httpd is stood in for');
    return;
}

sub is_possible {
    my ($case, $who) = @_;
    (my $way = $ways{$case}{$who}) =~ s/\n/ /g;
    return system("$way true 2>/dev/null") == 0;
}

sub server {
    my ($mpm, $case, $who, $limits) = @_;
    return AMGR::Case::Retire::server($mpm, $limits, name => "$mpm-$case",
        env => { AMGR_TEST_WAY => "$case-$who" });
}

# The pages answer, whatever is missing.
sub healthy {
    my ($s) = @_;
    my $name = $s->name;
    is($s->get('/')->code, 200, "$name serves");
    for my $path ('', '/status.json', '/metrics.txt') {
        is($s->get("/manager-status$path")->code, 200, "$name: $path answers");
    }
    is_deeply([schema_errors(
        $s->get('/manager-status/status.json')->content)], [],
        "$name: status.json obeys its schema");
    return;
}

sub logged_once {
    my ($s, $tag) = @_;
    my $name = $s->name;
    $s->expect_log(qr/$tag: /);
    ok(wait_until(sub { scalar(my @l = $s->log_lines(qr/$tag: /)) }, 30, $tag),
       "$name: $tag is logged");
    my $ticks = $s->json->{manager}{ticks};
    ok(wait_until(sub { $s->json->{manager}{ticks} >= $ticks + 3 }, 30,
                  'three ticks'), "$name ticks");
    is(scalar(my @l = $s->log_lines(qr/$tag: /)), 1, "$name: $tag once");
    return;
}

sub nobody_killed {
    my ($s, @pids) = @_;
    my $name = $s->name;
    my $json = $s->json;
    AMGR::Case::Retire::all_live("$name: all live", @pids);
    is($json->{manager}{"killed_$_"}, 0, "$name: killed_$_")
        for qw(active idle);
    is_deeply($json->{kills}, [], "$name: no record");
    is(scalar(my @l = $s->log_lines(qr/Killing /)), 0, "$name: no line");
    return $json;
}

# Nothing of the workers can be read.  Returns what is to be asserted, like
# those below.
sub blind {
    my ($mpm, $case, $who) = @_;
    my $s = server($mpm, $case, $who, "ManagerMaxMemoryIdle 1M\n"
                   . "ManagerMaxMemoryActive 1M\nManagerMaxTime 1s");
    # Not even when it was started itself.
    $s->expect_log(qr/\(2\)No such file or directory: AMGR0009: the start of /)
        if $case eq 'no_proc';
    my $long = $s->start_request('/app/sleep?s=4');
    return sub { watches_only($s, $long) };
}

sub watches_only {
    my ($s, $long) = @_;
    my $name = $s->name;
    ok(wait_until(sub { $s->json->{manager}{ticks} >= 2 }, 30, 'ticks'),
       "$name ticks");
    healthy($s);
    logged_once($s, 'AMGR0007');
    is(scalar(my @l = $s->log_lines(qr/AMGR0007: .*nothing is retired/)), 1,
       "$name: with what follows from it");
    is(scalar(@l = $s->log_lines(qr/AMGR0006: /)), 0,
       "$name: and nothing of signals");
    ok($long->wait(30), "$name: a request over its limit ends");
    is($long->status, 200, "$name: by being answered");
    my $json = nobody_killed($s, $s->children);
    my @native = grep { $_->{kind} eq 'native' } @{ $json->{processes} };
    cmp_ok(scalar @native, '>=', 2, "$name: workers are shown");
    is(scalar(grep { defined $_->{rss_bytes} || defined $_->{anon_bytes} }
              @native), 0, "$name: their memory is not known");
    cmp_ok(scalar(grep { @{ $_->{slots} } } @native), '>=', 2,
           "$name: their slots are");
    cmp_ok($json->{manager}{errors}{proc}, '>', 0, "$name: it is counted");
    is($json->{manager}{errors}{$_}, 0, "$name: errors.$_")
        for qw(ticker signal);
    is($s->data->{'status-response'}, 1, "$name: status-response");
    ok($s->graceful, "$name restarts gracefully");
    my $ticks = $json->{manager}{ticks};
    ok(wait_until(sub { $s->json->{manager}{ticks} > $ticks }, 30, 'ticks'),
       "$name ticks on");
    clean_end($s);
    return;
}

# A sanitizer reads its options from /proc, so without one it looks for leaks
# although it was told not to, and finds that it cannot.
sub clean_end {
    my ($s) = @_;
    return $s->stop_ok if !$ENV{AMGR_PRELOAD};
    my @wrong = $s->stop;
    push @wrong, grep { !/LeakSanitizer/ } $s->bad_log_lines;
    is(join("\n", @wrong), '', $s->name . ': a clean end');
    return;
}

# Root's group sees all under plain hidepid.
sub sees {
    my ($mpm, $case, $who) = @_;
    my $s = server($mpm, $case, $who, 'ManagerMaxMemoryIdle 150M');
    return sub {
        retires($s);
        $s->stop_ok;
    };
}

sub sound {
    my ($mpm) = @_;
    my $s = AMGR::Case::Retire::server($mpm, 'ManagerMaxMemoryIdle 150M',
                                       name => "$mpm-all-rights");
    retires($s);
    $s->stop_ok;
    return;
}

sub retires {
    my ($s) = @_;
    my $name = $s->name;
    AMGR::Case::Retire::grow_up($s);
    healthy($s);
    my @native = grep { $_->{kind} eq 'native' } @{ $s->json->{processes} };
    is(scalar(grep { !defined $_->{rss_bytes} } @native), 0,
       "$name: memory is known");
    is(scalar(my @l = $s->log_lines(qr/AMGR000[67]: /)), 0,
       "$name: no right is missed");
    my $pid = AMGR::Case::Retire::leak($s, 200);
    AMGR::Case::Retire::gone($s, $pid, 30, "$name: a leaking worker is gone");
    AMGR::Case::Retire::record($s, $pid);
    return;
}

# Everything is seen, nobody can be signalled.
sub powerless {
    my ($mpm, $case, $who) = @_;
    my $s = server($mpm, $case, $who, "ManagerMaxMemoryIdle 150M\n"
                   . 'ManagerMaxTime 1s');
    return sub { signals_nobody($s) };
}

sub signals_nobody {
    my ($s) = @_;
    my $name = $s->name;
    logged_once($s, 'AMGR0006');
    is(scalar(my @l = $s->log_lines(qr/AMGR0007: /)), 0,
       "$name: and nothing of /proc");
    AMGR::Case::Retire::grow_up($s);
    healthy($s);
    my @children = $s->children;
    my $pid = AMGR::Case::Retire::leak($s, 200);
    my $long = $s->start_request('/app/sleep?s=3');
    ok(wait_until(sub {
        $s->json->{manager}{suppressed}{no_rights} >= 1;
    }, 30, 'no_rights'), "$name: what is left undone is counted");
    ok($long->wait(30), "$name: a request over its limit ends");
    is($long->status, 200, "$name: by being answered");
    my $json = nobody_killed($s, $pid, @children);
    my ($fat) = grep { $_->{pid} == $pid } @{ $json->{processes} };
    cmp_ok($fat->{rss_bytes} // 0, '>', 200 * AMGR::Case::Retire::MB,
           "$name: its memory is known");
    # With threads the other request may be its own.
    like($fat->{verdict}, qr/^(?:memory_idle|time)$/,
         "$name: and the verdict shown");
    is($json->{manager}{errors}{$_}, 0, "$name: errors.$_")
        for qw(ticker signal proc);
    is($s->data->{'status-response'}, 0, "$name: status-response");
    $s->stop_ok;
    return;
}

1;

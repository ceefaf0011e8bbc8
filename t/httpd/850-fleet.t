#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# `make fleet` does what it says: the three servers and the Prometheus come up,
# each alert fires for its server alone, and nothing of it stays.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(repo_dir wait_until);
use Apache::Test qw(-withtestmore);
use File::Temp ();
use IPC::Open3 qw(open3);

my $tmp = File::Temp->newdir;
chmod 0755, $tmp;

# Its pid, and where it prints.
sub start_fleet {
    my ($check) = @_;
    local $ENV{TMPDIR} = "$tmp";
    local $ENV{CHECK} = $check;
    my $pid = open3(my $in, my $out, undef, $^X,
                    repo_dir() . '/t/demo/fleet.pl');
    close $in;
    return ($pid, $out);
}

sub checked {
    my ($pid, $out) = start_fleet(1);
    my $text = join '', <$out>;
    waitpid $pid, 0;
    is($? >> 8, 0, 'the check of the fleet') or diag($text);
    for my $alert (qw(KillStorm WorkersHanging Down)) {
        like($text, qr/FIRING   ApacheManager$alert 127\.0\.0\.1:\d+: /,
             "ApacheManager$alert fired");
    }
    like($text, qr/^    event +shop +no /m, 'the stopped server is seen');
    return;
}

# Its last word comes when nothing is left to end but itself.
sub interrupted {
    my ($pid, $out) = start_fleet('');
    my $text = '';
    while (defined(my $line = <$out>)) {
        $text .= $line;
        last if $line =~ /^Ctrl-C ends/;
    }
    kill 'INT', $pid;
    my @left = 'never told';
    while (defined(my $line = <$out>)) {
        $text .= $line;
        @left = left() if $line eq "ended\n";
    }
    waitpid $pid, 0;
    is($?, 0, 'interrupted: exit status 0');
    like($text, qr/\nending\nended\n\z/, 'it ends, and then has ended')
        or diag($text);
    is("@left", '', 'nothing was left when it said so');
    return;
}

# Whatever it started has its directory, which is below ours, on its command
# line or in its environment.
sub left {
    return grep {
        my $words = AMGR::Httpd::slurp("$_/cmdline")
            . AMGR::Httpd::slurp("$_/environ");
        !m{/$$/?$} && index($words, "$tmp/") >= 0;
    } glob '/proc/[0-9]*';
}
sub nothing_stays {
    my ($what) = @_;
    ok(wait_until(sub { !left() }, 30, 'the end of all'),
       "$what: no process stays") or diag(join ' ', left());
    is(join(' ', glob "$tmp/*"), '', "$what: no file stays");
    return;
}

checked();
nothing_stays('checked');
interrupted();
nothing_stays('interrupted');
done_testing();

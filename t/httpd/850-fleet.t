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
my $pid;
{
    local $ENV{CHECK} = 1;
    local $ENV{TMPDIR} = "$tmp";
    chmod 0755, $tmp;
    $pid = open3(my $in, my $out, undef, $^X, repo_dir() . '/t/demo/fleet.pl');
    close $in;
    my $text = join '', <$out>;
    waitpid $pid, 0;
    is($? >> 8, 0, 'the check of the fleet') or diag($text);
    for my $alert (qw(KillStorm WorkersHanging Down)) {
        like($text, qr/FIRING   ApacheManager$alert 127\.0\.0\.1:\d+: /,
             "ApacheManager$alert fired");
    }
    like($text, qr/^    event +shop +no /m, 'the stopped server is seen');
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
ok(wait_until(sub { !left() }, 10, 'the end of all'), 'no process stays')
    or diag(join ' ', left());
is(join(' ', glob "$tmp/*"), '', 'no file stays');
done_testing();

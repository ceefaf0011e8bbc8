#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Managed processes of a server with `ErrorLog syslog`: libc keeps a descriptor
# for its lines, which the supervisor's forks inherit.  What processes write is
# read to its end, also when the daemon was another in the meantime; and files
# that they write to are opened anew by a graceful restart.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use AMGR::Syslog;
use Apache::Test qw(-withtestmore);

use constant SOON => 30;

my $s = AMGR::Httpd->new(mpm => 'event', name => 'syslog');
AMGR::Managed::prepare($s);
my $dir = AMGR::Managed::state_dir($s);
my $syslog = AMGR::Syslog->new($s);
$syslog->write_to($s->log_file);

# It writes a line, one more when it is asked to, and ends.
my $script = $s->write('work/says.sh', <<"END", 0755);
#!/bin/sh
echo "the first of \$\$"
until [ -e $dir/\$\$ ]; do sleep 0.05; done
echo "the last of \$\$"
exit 3
END
my $file = $s->path('logs/file.log');
$s->set_config(<<"END");
ErrorLog syslog
<ManagedProcess says>
    Command $script
    PassEnv AMGR_TEST_SERVER
    RestartDelay 3s jitter=0%
</ManagedProcess>
<ManagedProcess writes>
    Command /bin/sh -c "while echo a line; do sleep 0.1; done"
    PassEnv AMGR_TEST_SERVER
    Output $file
</ManagedProcess>
END

sub said {
    my ($line) = @_;
    return wait_until(sub { $s->log_lines(qr/AMGR0037: process says: $line$/) },
                      SOON, "the line: $line");
}

# One run of it, until it waits for the next.
sub run_once {
    my ($when) = @_;
    my $says = AMGR::Managed::wait_for($s, 'says', 'READY');
    ok($says, "$when: it runs") or return;
    ok(said("the first of $says->{pid}"), "$when: what it writes is read");
    $s->write("state/$says->{pid}", '');
    ok(said("the last of $says->{pid}"), "$when: to the end");
    ok(AMGR::Managed::wait_for($s, 'says', 'BACKOFF'), "$when: it has ended");
    return;
}

$s->start;
run_once('first');
# The supervisor connects anew when it starts it again, and while it has nothing
# else open: to the number that the guard has for the output then.
$syslog->restart;
run_once('with another daemon');

my $writes = AMGR::Managed::wait_for($s, 'writes', 'READY');
ok(-s $file, 'another writes to its file');
rename $file, "$file.1" or die "$file: $!\n";
ok($s->graceful, 'which is renamed, with a graceful restart');
ok(wait_until(sub { -s $file }, SOON, 'a new file'), 'and it writes to another');
is(AMGR::Managed::one($s, 'writes')->{pid}, $writes->{pid}, 'as it was');
$s->stop_ok;
done_testing();

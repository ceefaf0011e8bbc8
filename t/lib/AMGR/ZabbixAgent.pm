# SPDX-License-Identifier: Apache-2.0
#
# Debian's zabbix_agentd and zabbix_agent2, with a configuration of their own
# below a test's server.  What is started ends with the test.
package AMGR::ZabbixAgent;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until repo_dir);
use AMGR::Zabbix qw(ask_agent);
use POSIX ();

use Exporter qw(import);
our @EXPORT_OK = qw(write_config test_keys start_agent);

use constant {
    START_SEC => 60,
    AT_A_TIME => 16,
};

my @started;
my $owner = $$;

# Our user parameters for the data file at @a data; more lines for the daemon
# alone.  Returns the paths of both configurations.
sub write_config {
    my ($s, $data, $more) = @_;
    my $parameters = AMGR::Httpd::slurp(
        repo_dir() . '/conf/zabbix/userparameter_apache_manager.conf');
    $parameters =~ s{/run/apache2/apache-manager\.txt}{$data}g
        or die "no path in the user parameters\n";
    my $include = $s->write('conf/userparameter.conf', $parameters);
    my $dir = $s->path('work/zabbix');
    mkdir $dir or die "$dir: $!\n";
    chmod 01777, $dir; # the daemon runs as its own user
    my $common = <<"END";
LogType=console
Hostname=amgr
Server=127.0.0.1
Timeout=30
Include=$include
END
    return {
        zabbix_agent2 => $s->write('conf/agent2.conf',
                                   $common . "ServerActive=127.0.0.1\n"),
        zabbix_agentd => $s->write('conf/agentd.conf', $common
            . "PidFile=$dir/agentd.pid\nStartAgents=1\n"
            . "ListenIP=127.0.0.1\n" . ($more // '')),
    };
}

# { key => value } as `PROGRAM -t KEY` prints it; what is not supported is
# "[m|...]".  Some at a time: zabbix_agent2 sleeps for a second before it ends.
sub test_keys {
    my ($program, $config, @keys) = @_;
    my %got;
    while (my @some = splice @keys, 0, AT_A_TIME) {
        my %pipe;
        for my $key (@some) {
            open $pipe{$key}, '-|', $program, '-c', $config->{$program}, '-t',
                $key or die "$program: $!\n";
        }
        for my $key (@some) {
            my $text = do { local $/; readline $pipe{$key} } // '';
            close $pipe{$key};
            $got{$key} = $text =~ /^\Q$key\E\s*\[[a-ln-z]\|(.*)\]$/m
                ? $1 : $text;
        }
    }
    return \%got;
}

# zabbix_agentd as a daemon on a free port, which is returned.
sub start_agent {
    my ($s, $config) = @_;
    my $port = AMGR::Httpd::free_port();
    my $file = $config->{zabbix_agentd};
    open my $fh, '>>', $file or die "$file: $!\n";
    print {$fh} "ListenPort=$port\n";
    close $fh or die "$file: $!\n";
    my $log = $s->path('logs/agentd.log');
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $log;
        open STDERR, '>&', \*STDOUT;
        exec 'setpriv', '--pdeathsig', 'TERM', 'zabbix_agentd', '-f', '-c',
            $file or POSIX::_exit(127);
    }
    push @started, $pid;
    wait_until(sub { defined(ask_agent($port, 'agent.ping')) }, START_SEC,
               'the agent') or die AMGR::Httpd::slurp($log);
    return $port;
}

END {
    if ($$ == $owner) {
        my $status = $?;
        for my $pid (@started) {
            kill 'TERM', $pid;
            waitpid $pid, 0;
        }
        $? = $status;
    }
}

1;

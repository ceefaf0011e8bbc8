#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Servers whose processes are not called apache2 or httpd: the program has
# another name, was replaced since, or mod_perl has renamed what runs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use File::Copy ();
use POSIX ();

use constant { USER => 65534 };

my %none = (APACHE_CONFDIR => '/nonexistent', LC_ALL => 'C');

# Lines of the tree by pid; a server begins without a branch before its kind.
sub tree {
    my ($o, @args) = @_;
    my $r = cli({ env => \%none, %$o }, 'tree', @args);
    for (split /\n/, $r->{out}) {
        $r->{rows}{$1} = $2 if /^ *(\d+) \S+ +\S+ +\S+ +(\S.*)/;
    }
    return $r;
}

sub server {
    my ($name, %o) = @_;
    my $s = AMGR::Httpd->new(mpm => 'prefork', manager => 0, location => 0,
                             name => $name, %o);
    return $s;
}

sub copy_of_httpd {
    my ($s, $name) = @_;
    $s->{program} = $s->path("work/$name");
    File::Copy::copy(AMGR::Httpd::httpd_program(), $s->{program})
        or die "$s->{program}: $!\n";
    chmod 0755, $s->{program};
    return $s->{program};
}

sub is_seen {
    my ($s, $how) = @_;
    my $what = $s->name;
    my ($parent, @workers) = ($s->parent_pid, $s->children);
    my $r = tree($how, '--url', $s->url('/'));
    is($r->{code}, 0, "$what: found by its port") or diag($r->{err});
    like($r->{rows}{$parent} // '', qr/^parent\b/, '... with its parent');
    is(scalar(grep { ($r->{rows}{$_} // '') =~ /^worker\b/ } @workers),
       scalar(@workers), '... and its workers') or diag($r->{out});
    is_listed($s, $how);
    return;
}

# Among all that run here, each once.
sub is_listed {
    my ($s, $how) = @_;
    my ($parent, @workers) = ($s->parent_pid, $s->children);
    my $r = tree($how);
    my $what = $s->name;
    like($r->{rows}{$parent} // '', qr/^parent\b/, "$what: is one of those");
    is(scalar(grep { ($r->{rows}{$_} // '') =~ /^(?:parent|orphan)/ } @workers),
       0, '... and none of its workers is') or diag($r->{out});
    return;
}

my @servers;
for my $name (qw(httpd-prefork httpd.worker httpd2)) {
    my $s = server($name);
    copy_of_httpd($s, $name);
    push @servers, $s->start;
    is_seen($s, {});
}

my $replaced = server('replaced', modules => ['perl']);
my $program = copy_of_httpd($replaced, 'httpd-prefork');
push @servers, $replaced->start;
unlink $program or die "$program: $!\n";
like(readlink('/proc/' . $replaced->parent_pid . '/exe'), qr/ \(deleted\)$/,
     'a program that was replaced');
is_seen($replaced, {});

# The workers rename themselves once more.
my $perl = server('mod_perl', modules => ['perl'], config => <<'END_OF_CONFIG');
PerlChildInitHandler "sub { $0 = 'apache2 of its own'; return 0 }"
END_OF_CONFIG
push @servers, $perl->start;
my ($worker) = $perl->children;
wait_until(sub { AMGR::Httpd::comm($worker) eq 'apache2 of its ' }, 30,
           'a worker renames itself');
isnt(AMGR::Httpd::comm($perl->parent_pid), 'apache2', 'mod_perl renames');
is_seen($perl, {});

# What this user may not look into says of itself what it was started as; for
# root, who may, that counts for nothing.
if (AMGR::Httpd::is_root()) {
    is_listed($perl, { as_user => USER });
    my $stranger = fork // die "fork: $!\n";
    if ($stranger == 0) {
        $( = USER;
        $) = USER . ' ' . USER;
        POSIX::setuid(USER);
        exec { '/bin/sleep' } AMGR::Httpd::httpd_program(), 600
            or POSIX::_exit(127);
    }
    wait_until(sub { AMGR::Httpd::comm($stranger) eq 'sleep' }, 30,
               'a program under a false name');
    my $r = tree({});
    ok(!exists $r->{rows}{$stranger}, 'what it is called is not what it is');
    kill 'KILL', $stranger;
    waitpid $stranger, 0;
}

# Whoever is no server of the name is left out.
my $other = server('lighttpd');
copy_of_httpd($other, 'lighttpd');
push @servers, $other->start;
my $r = tree({});
ok(!exists $r->{rows}{ $other->parent_pid }, 'another server is none of these');

$_->stop_ok for @servers;
done_testing();

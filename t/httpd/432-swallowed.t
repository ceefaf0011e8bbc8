#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A site that gives every address to an application leaves the page alone where
# the shipped configuration is: who asks whether all is ready must never get
# the application's 200.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd;
use Apache::Test qw(-withtestmore);

use constant {
    MODULES => [qw(alias proxy proxy_http rewrite)],
    CASES   => 11,
};

my $conf = AMGR::Httpd::slurp(
    "$FindBin::Bin/../../conf/apache_manager.conf");

# The application: whatever it is asked for, it is well.
my $app = AMGR::Httpd->new(mpm => 'event', name => 'application',
                           manager => 0, location => 0, modules => ['alias']);
$app->set_config('AliasMatch ^ '
                 . $app->write('htdocs/app.txt', "the application\n"));
$app->start;

sub server {
    my ($name) = @_;
    my $s = AMGR::Httpd->new(mpm => 'event', name => $name, location => 0,
                             modules => MODULES);
    $s->write('htdocs/app.txt', "the application\n");
    mkdir $s->path('htdocs/htaccess') or die "htaccess: $!\n";
    $s->write('htdocs/htaccess/app.txt', "the application\n");
    $s->write('htdocs/htaccess/.htaccess',
              "RewriteEngine On\nRewriteRule ^ app.txt [L]\n");
    # A section of the same address adds to what the shipped one says.
    $s->{text} = $conf . "<Location \"/manager-status/ready\">\n"
        . "Require all granted\n</Location>\n";
    return $s;
}

# What gives an application everything, in the server or in a virtual host; some
# of it never got the page, since the handler of a section wins.
sub swallowing {
    my ($s) = @_;
    my $url = $app->url('');
    return (
        ['ProxyPass', "ProxyPass / $url/"],
        ['ProxyPassMatch', "ProxyPassMatch ^(/.*)\$ $url\$1"],
        ['RewriteRule [P]', "RewriteEngine On\n"
         . "RewriteRule ^/(.*) $url/\$1 [P]"],
        ['RewriteRule [L]', "RewriteEngine On\n"
         . 'RewriteRule ^ ' . $s->path('htdocs/app.txt') . ' [L]'],
        ['RewriteRule [PT]', "RewriteEngine On\nRewriteRule ^ /app.txt [PT]"],
        ['RewriteRule [R]', "RewriteEngine On\n"
         . "RewriteRule ^ $url%{REQUEST_URI} [R]"],
        ['AliasMatch', 'AliasMatch ^ ' . $s->path('htdocs/app.txt')],
        ['FallbackResource', 'FallbackResource /app.txt'],
        ['.htaccess', 'DocumentRoot ' . $s->path('htdocs/htaccess')
         . "\n<Directory " . $s->path('htdocs/htaccess')
         . ">\nAllowOverride FileInfo\n</Directory>"],
        ['RewriteRule [P] in Directory', '<Directory ' . $s->path('htdocs')
         . ">\nRewriteEngine On\nRewriteRule ^(.*) $url/\$1 [P]\n</Directory>"],
        # Whatever comes later in the configuration wins: this has to be said
        # again behind it.
        ['ProxyPass in Location', "<Location />\nProxyPass $url/\n</Location>\n"
         . "<Location /manager-status>\nProxyPass !\n</Location>"],
    );
}

# What an address leads to: the page, or the application in whatever way.
sub kind {
    my ($s, $url) = @_;
    my $answer = $s->agent->get($url);
    my $text = $answer->content;
    return $text =~ /^the application$/ ? 'application'
        : $answer->is_redirect ? 'application'
        : $text =~ /^apache_manager_build_info|\A\s*\{\s*"status":\s*"running"|
                    <html[^>]*>.*\bretired\b/msx ? 'page' : $text;
}

sub is_ours {
    my ($s, $what, $base) = @_;
    is(kind($s, "$base/elsewhere"), 'application', "$what: has all else");
    is(kind($s, $base . $_), 'page', "$what: not $_")
        for map { "/manager-status$_" } '', '/', qw(/ready /metrics);
    return;
}

# ---- the server's own, which a virtual host may inherit ----------------------

for my $i (0 .. CASES - 1) {
    my $s = server('main');
    my @cases = swallowing($s);
    is(scalar @cases, CASES, 'each of the cases') if $i == 0;
    my ($what, $lines) = @{ $cases[$i] };
    my $port = AMGR::Httpd::free_port();
    $s->set_config("$s->{text}$lines\nListen 127.0.0.1:$port\n"
                   . "<VirtualHost 127.0.0.1:$port>\n</VirtualHost>\n");
    $s->start;
    is_ours($s, "$what of the server", $s->url(''));
    is_ours($s, "$what that a virtual host inherits", "http://127.0.0.1:$port")
        if $lines !~ /^RewriteEngine/;
    $s->stop_ok;
}

# ---- that of a virtual host ---------------------------------------------------
{
    my $s = server('virtual hosts');
    my $text = $s->{text};
    my %port;
    for (swallowing($s)) {
        my ($what, $lines) = @$_;
        my $port = $port{$what} = AMGR::Httpd::free_port();
        $text .= "Listen 127.0.0.1:$port\n<VirtualHost 127.0.0.1:$port>\n"
            . "$lines\n</VirtualHost>\n";
    }
    $s->set_config($text);
    $s->start;
    is_ours($s, "$_ of a virtual host", "http://127.0.0.1:$port{$_}")
        for sort keys %port;
    $s->stop_ok;
}
$app->stop_ok;
done_testing();

<?php
header('Content-Type: text/plain');
printf("php v%s says %s from %s\n", trim(file_get_contents('/version')), getenv('GREETING'), getenv('HOSTNAME'));

"""Who may send what in the admin: one line per thing that can be sent, in the shape of `posts`.

`give_away` and `foreign` name a school of another authority in the data.
"""

ADMIN_POSTS = """
# address                                       row             -   staff coord clerk    approv   head supp audit admin
login                                           -               in  403   403   302      302      403  403  302   302
logout                                          -               302 302   302   200      200      302  302  200   200
core_portaltext_add                             -               in  403   403   403      403      403  403  403   302+
core_portaltext_change                          portaltext      in  403   403   403      403      403  403  403   302+
core_contactmessage_change                      contactmessage  in  403   403   403      403      403  403  403   302+
accounts_user_add                               -               in  403   403   403      403      403  403  403   302+
accounts_user_change                            user            in  403   403   403      403      403  403  403   302+
accounts_user_changelist#deactivate             -               in  403   403   403      403      403  403  200   302+
accounts_user_changelist#send_password_link     -               in  403   403   403      403      403  403  200   302+
core_importrun_upload                           -               in  403   403   302+     302+     403  403  403   302+
core_importrun_apply                            importrun       in  403   403   302+     302+     403  403  403   302+
core_importrun_discard                          importrun       in  403   403   302+     302+     403  403  403   302+
core_importrun_check                            importrun       in  403   403   302+     302+     403  403  403   302+
schools_school_add                              -               in  403   403   302+     302+     403  403  403   302+
schools_school_change                           school          in  403   403   302+/404 302+/404 403  403  403   302+
schools_school_change#give_away                 school          in  403   403   302/404  302/404  403  403  403   302+
schools_schoolauthority_add                     -               in  403   403   403      403      403  403  403   302+
schools_schoolauthority_change                  authority       in  403   403   403      403      403  403  403   302+
schools_schooltype_add                          -               in  403   403   403      403      403  403  403   302+
schools_schooltype_change                       school_type     in  403   403   403      403      403  403  403   302+
schools_site_add                                -               in  403   403   302+     302+     403  403  403   302+
schools_site_add#foreign                        -               in  403   403   200      200      403  403  403   302+
schools_site_change                             site            in  403   403   302+/404 302+/404 403  403  403   302+
schools_site_change#foreign                     site            in  403   403   200/404  200/404  403  403  403   302+
schools_pupilcount_add                          -               in  403   403   302+     302+     403  403  403   302+
schools_pupilcount_add#foreign                  -               in  403   403   200      200      403  403  403   302+
schools_pupilcount_change                       pupilcount      in  403   403   302+/404 302+/404 403  403  403   302+
schools_fibreline_add                           -               in  403   403   302+     302+     403  403  403   302+
schools_fibreline_add#foreign                   -               in  403   403   200      200      403  403  403   302+
schools_fibreline_change                        fibreline       in  403   403   302+/404 302+/404 403  403  403   302+
schools_roomnetwork_add                         -               in  403   403   302+     302+     403  403  403   302+
schools_roomnetwork_add#foreign                 -               in  403   403   200      200      403  403  403   302+
schools_roomnetwork_change                      roomnetwork     in  403   403   302+/404 302+/404 403  403  403   302+
schools_platformstatus_add                      -               in  403   403   302+     302+     403  403  403   302+
schools_platformstatus_add#foreign              -               in  403   403   200      200      403  403  403   302+
schools_platformstatus_change                   platformstatus  in  403   403   302+/404 302+/404 403  403  403   302+
schools_platform_add                            -               in  403   403   302+     302+     403  403  403   302+
schools_platform_change                         platform        in  403   403   302+     302+     403  403  403   302+
schools_itstaffing_add                          -               in  403   403   302+     302+     403  403  403   302+
schools_itstaffing_change                       itstaffing      in  403   403   302+     302+     403  403  403   302+
inventory_devicekind_add                        -               in  403   403   302+     302+     403  403  403   302+
inventory_devicekind_change                     devicekind      in  403   403   302+     302+     403  403  403   302+
inventory_product_add                           -               in  403   403   302+     302+     403  403  403   302+
inventory_product_change                        product         in  403   403   302+     302+     403  403  403   302+
inventory_serialpattern_add                    -               in  403   403   302+     302+     403  403  403   302+
inventory_serialpattern_change                 serialpattern   in  403   403   302+     302+     403  403  403   302+
inventory_kit_add                               -               in  403   403   302+     302+     403  403  403   302+
inventory_kit_change                            kit             in  403   403   302+     302+     403  403  403   302+
inventory_device_change                         device          in  403   403   302+/404 302+/404 403  403  403   403
inventory_device_change                         device_in_depot in  403   403   302+     302+     403  403  403   403
quotas_mediadevelopmentplan_add                 -               in  403   403   403      403      403  403  403   302+
quotas_mediadevelopmentplan_change              plan            in  403   403   403      403      403  403  403   302+
quotas_mediadevelopmentplan_delete              plan            in  403   403   403      403      403  403  403   403
quotas_targetgroup_add                          -               in  403   403   403      403      403  403  403   302+
quotas_targetgroup_change                       target_group    in  403   403   403      403      403  403  403   302+
quotas_targetgroup_delete                       target_group    in  403   403   403      403      403  403  403   302+
quotas_target_delete                            target          in  403   403   403      403      403  403  403   302+
funding_budget_add                              -               in  403   403   403      302+     403  403  403   403
funding_budget_change                           budget          in  403   403   403      302+     403  403  403   403
funding_budget_overrun                          budget          in  403   403   403      302+     403  403  403   403
funding_fundingprogramme_add                    -               in  403   403   302+     302+     403  403  403   403
funding_fundingprogramme_change                 programme       in  403   403   302+     302+     403  403  403   403
funding_grant_add                               -               in  403   403   302+     302+     403  403  403   403
funding_grant_change                            grant           in  403   403   302+     302+     403  403  403   403
funding_reasontemplate_add                      -               in  403   403   302+     302+     403  403  403   403
funding_reasontemplate_change                   reasontemplate  in  403   403   302+     302+     403  403  403   403
funding_reasontemplate_delete                   reasontemplate  in  403   403   302+     302+     403  403  403   403
funding_equipmentapplication_change#approve     submitted       in  403   403   403/404  302+/404 403  403  403   403
funding_equipmentapplication_change#return      submitted       in  403   403   302+/404 302+/404 403  403  403   403
funding_equipmentapplication_change#reject      submitted       in  403   403   302+/404 302+/404 403  403  403   403
funding_equipmentapplication_change#reserve     submitted       in  403   403   302+/404 302+/404 403  403  403   403
funding_equipmentapplication_change#cancel      submitted       in  403   403   302+/404 302+/404 403  403  403   403
funding_equipmentapplication_change#approve     draft           in  403   403   404      404      403  403  403   403
funding_equipmentapplication_bulk#approve       submitted       in  403   403   403      302+/404 403  403  403   403
funding_equipmentapplication_bulk#reserve       submitted       in  403   403   302+/404 302+/404 403  403  403   403
funding_equipmentapplication_bulk#return        submitted       in  403   403   302+/404 302+/404 403  403  403   403
funding_equipmentapplication_bulk#reject        submitted       in  403   403   302+/404 302+/404 403  403  403   403
funding_equipmentapplication_changelist#approve submitted       in  403   403   302      302      403  403  200   403
"""

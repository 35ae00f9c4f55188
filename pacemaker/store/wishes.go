package store

import (
	"gorm.io/gorm"

	"aorta/pacemaker/cluster"
)

// canMeet refuses wishes that could not come true as things are.
func canMeet(tx *gorm.DB, app cluster.ID, w Wishes) error {
	for _, host := range w.Domains {
		if _, err := hasDomain(tx, app, host); err != nil {
			return err
		}
	}
	var row appRow
	if err := tx.Where("id = ?", string(app)).Take(&row).Error; err != nil {
		return err
	}
	return row.requests().With(w.Route).Validate("")
}

// meet makes the wishes of a release come true.
func (s *Store) meet(tx *gorm.DB, app cluster.ID, w Wishes, user string) error {
	for _, host := range w.Domains {
		has, err := hasDomain(tx, app, host)
		if err == nil && !has {
			err = s.addDomain(tx, domainRow{Host: host, AppID: string(app), OfSource: true})
		}
		if err != nil {
			return err
		}
	}
	if err := s.dropDomains(tx, app, w.NoDomains, user); err != nil {
		return err
	}
	if w.Route.Empty() {
		return nil
	}
	_, err := s.changeRequestLimits(tx, app, w.Route, user)
	return err
}

// hasDomain says whether the app has a host; one that another app has is an error.
func hasDomain(tx *gorm.DB, app cluster.ID, host string) (bool, error) {
	owner, err := ownerOf(tx, host)
	if err != nil || len(owner) == 0 {
		return false, err
	}
	if owner[0].ID != string(app) {
		return false, hostTaken(host, owner[0], string(app))
	}
	return true, nil
}

// dropDomains removes hosts that the source asked for and nobody has added by hand
// since.
func (s *Store) dropDomains(tx *gorm.DB, app cluster.ID, hosts []string, user string) error {
	for _, host := range hosts {
		gone := tx.Where("host = ? AND app_id = ? AND of_source", host, string(app)).Delete(&domainRow{})
		if gone.Error != nil {
			return gone.Error
		}
		if gone.RowsAffected == 0 {
			continue
		}
		if err := s.note(tx, user, "domain.remove", "app "+string(app), host, ""); err != nil {
			return err
		}
	}
	return nil
}
